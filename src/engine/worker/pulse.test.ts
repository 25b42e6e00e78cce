import { mock } from 'node:test';
import t from 'tap';
import { PROTOCOL, type Welcome } from '../../core/contracts/messages.js';
import type { AttemptTable } from './attempts.js';
import type { CoordinatorLink } from './link.js';
import { Pulse } from './pulse.js';
import { ReportBox } from './report-box.js';

const HEARTBEAT_MS = 500;
const LEASE_MS = 5000;
const WELCOME: Welcome = { type: 'welcome', protocol: PROTOCOL, term: 1, heartbeatMs: HEARTBEAT_MS, leaseMs: LEASE_MS };

t.test(
  'a worker at rest beats four times a lease, one that has attempts at every heartbeat, and sooner again when some come',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    let held: { assignment: { job: string; attempt: string }; progress: number }[] = [];
    const attempts = { running: () => held, capacity: 1, sampler: { peak: 0 } } as unknown as AttemptTable;
    const sent: string[] = [];
    const link = {
      send: async ({ type }: { type: string }) => {
        sent.push(type);
        return true;
      },
    } as unknown as CoordinatorLink;
    const pulse = new Pulse('w', link, attempts, new ReportBox());
    t.teardown(() => pulse.close());
    const beats = (ms: number): number => {
      sent.length = 0;
      for (let passed = 0; passed < ms; passed += 50) mock.timers.tick(50);
      return sent.filter((type) => type === 'heartbeat').length;
    };
    pulse.begin(WELCOME);
    mock.timers.tick(HEARTBEAT_MS);
    t.equal(beats(2 * LEASE_MS), 8);
    t.equal(sent.filter((type) => type === 'credit').length, 4, 'a credit that was lost is said again');
    held = [{ assignment: { job: 'j', attempt: 'a' }, progress: 0 }];
    pulse.work();
    t.equal(beats(HEARTBEAT_MS), 1, 'not only when the rest is over');
    t.equal(beats(LEASE_MS), LEASE_MS / HEARTBEAT_MS);
    held = [];
    beats(HEARTBEAT_MS);
    t.equal(beats(LEASE_MS), 4);
    pulse.pause();
    t.equal(beats(2 * LEASE_MS), 0, 'nothing is said to a coordinator that does not know this worker');
    pulse.begin(WELCOME);
    t.equal(beats(HEARTBEAT_MS), 1);
  },
);
