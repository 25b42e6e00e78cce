import tap from 'tap';
import { contactHtml, type Person } from './html.js';

function person(identity: string, change: Partial<Person> = {}): Person {
  return {
    identity,
    folder: identity,
    photos: [
      {
        photo: `${identity}/<one>.png`,
        quality: 0.5,
        source: 'sidecar',
        yaw: 1,
        pitch: 2,
        roll: 3,
        focal: 1.5,
        residual: 0.01,
        trust: 1,
        attributes: {},
        warnings: [{ code: 'ERR_DAF_SEVERAL_FACES', message: '5 faces, the largest is used' }],
      },
    ],
    refused: [],
    head: {
      model: 'm',
      vertices: 1,
      triangles: 1,
      scale: 'assumed',
      unit: 'metre',
      expressions: 51,
      expressionsLeftOut: ['tongueOut'],
      residual: 0.0123,
      eyes: 0.09,
      hair: 'prior',
    },
    texture: { size: 1024, observedFraction: 0.312 },
    field: { kind: 'hashgrid', steps: 1, samples: 1, meshPsnr: 25, silhouette: 0.95, silhouetteWorst: 0.9 },
    likeness: { photo: 'x', glbPsnr: 21.26, fieldPsnr: 20 },
    ...change,
  };
}

tap.test('everybody and everything is named, and nothing of a name becomes markup', async (t) => {
  const lost = person('李', {
    photos: [],
    refused: [{ photo: '李/a"b&\n.jpg', code: 'ERR_DAF_NO_FACE', message: 'no <face>' }],
  });
  const page = contactHtml([person('p02'), person('p01')], [lost], ['contact.png', 'contact-2.png']);
  t.ok(page.indexOf('p02') < page.indexOf('p01'), 'in the order given');
  t.match(page, /landmarks 1\.2% of the eye distance/);
  t.match(page, /href="avatars\/p02\/avatar\.glb"/);
  t.match(page, /contact-2\.png/);
  t.match(page, /p02\/&lt;one&gt;\.png/);
  t.match(page, /ERR_DAF_SEVERAL_FACES/);
  t.match(page, /a&quot;b&amp;/);
  t.match(page, /no &lt;face&gt;/);
  t.notMatch(page, /<one>|<face>/);
  t.match(page, /People without a usable photo/);
});

tap.test('links of unusual folders are percent-encoded', async (t) => {
  t.match(contactHtml([person('Zoë')], [], []), /src="avatars\/Zo%C3%AB\/contact-row\.png"/);
});
