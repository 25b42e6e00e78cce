import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { feed } from './hostile.test.fixture.js';

t.test('no file breaks a parser', (t) => feed(t, temporaryDirectory(t), (round) => round < 100));
