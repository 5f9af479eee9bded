import { describe, expect, it, test } from 'vitest';
import { planSwitch, type SwitchFacts } from '../../../src/lib/adopt/switch-plan.ts';

const facts: SwitchFacts = {
  found: {
    program: 'mtg',
    edits: [{ key: 'listen.port', value: 443 }],
    secrets: [{ name: undefined, key: Buffer.alloc(16, 7) }],
    modes: ['ee'],
    notes: [],
  },
  running: {
    pid: 7,
    startedAt: '1',
    unit: null,
    argv: ['mtg'],
    program: '/usr/bin/mtg',
    directory: '/',
    environment: {},
    uid: 0,
    gid: 0,
    contained: false,
  },
  holders: [{ name: 'mtg', pid: 7, isOther: true }],
  before: [{ at: 0, mode: 'ee', accepted: true, detail: 'works' }],
  oursRuns: false,
  isRoot: true,
  uid: 0,
};
const { running } = facts;

describe('the plan of a switch', () => {
  it('has nothing against a proxy that listens and works', () => {
    const plan = planSwitch(facts);
    expect(plan.blockers).toEqual([]);
    expect(plan.willDo.join('\n')).not.toContain('systemctl');
    const ofUnit = planSwitch({ ...facts, running: { ...running, unit: 'mtg.service' } });
    expect(ofUnit.willDo[0]).toContain('systemctl stop mtg.service');
    expect(ofUnit.willDo.at(-1)).toContain('systemctl disable mtg.service');
  });

  test.each<[string, Partial<SwitchFacts>, RegExp]>([
    ['a proxy of ours', { oursRuns: true }, /runs here already/],
    ['a process of somebody else', { isRoot: false, uid: 1000 }, /as root/],
    ['nobody on the port', { holders: [] }, /does not listen/],
    [
      'a second program on the port',
      { holders: [...facts.holders, { name: 'nginx', pid: 9, isOther: false }] },
      /held by nginx/,
    ],
    ['a container', { running: { ...running, contained: true } }, /container/],
    ['a program that is gone', { running: { ...running, program: '/usr/bin/mtg (deleted)' } }, /gone from the disk/],
    ['a low port of a user', { running: { ...running, uid: 33 } }, /could not be given port 443/],
    [
      'a secret that it refuses itself',
      { before: [{ at: 0, mode: 'ee', accepted: false, detail: 'no answer' }] },
      /no answer/,
    ],
  ])('is stopped by %s', (_what, change, why) => {
    const { blockers } = planSwitch({ ...facts, ...change });
    expect(blockers).toEqual([expect.stringMatching(why)]);
  });
});
