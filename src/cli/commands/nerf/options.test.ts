import t from 'tap';
import { box, flagOf, lookTexts, realNumber } from './options.js';

t.test('numbers and boxes name their flag', (t) => {
  const refused = (parse: () => unknown, flag: string): void => {
    t.throws(parse, { code: 'ERR_DAF_BAD_OPTION', message: new RegExp(`^${flag} `) });
  };
  t.equal(realNumber('--distortion', 0)('1e-3'), 1e-3);
  for (const wrong of ['', 'fast', '-1', 'Infinity', 'NaN']) refused(() => realNumber('--distortion', 0)(wrong), '--distortion');
  refused(() => realNumber('--target-psnr', 0.1, 99.9)('100'), '--target-psnr');
  t.same(box('--box')('-1,-2,-3, 1,2,3'), { min: [-1, -2, -3], max: [1, 2, 3] });
  for (const wrong of ['', '0,0,0,1,1', '0,0,0,1,1,1,1', '0,0,0,1,1,0', '0,0,0,1,1,x', '0,0,0,1,,1'])
    refused(() => box('--box')(wrong), '--box');
  t.end();
});

t.test('flags and what is given of them', (t) => {
  t.equal(flagOf('samplesPerRay'), '--samples-per-ray');
  t.equal(flagOf('far'), '--far');
  t.same(lookTexts({ importance: true, far: '6', out: 'x' }), { importance: 'true', far: '6' });
  t.end();
});
