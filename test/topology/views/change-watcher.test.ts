/** Which events follow from what the ring was and is. That they come from real changes is tested with `--import`. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import type { ChangeView } from '../../../src/admin/api.js';
import { ChangeWatcher } from '../../../src/topology/views/change-watcher.js';
import { changeView } from '../../cli/fake-admin.js';
import { atEnd } from '../../support/cleanup.js';

const CHANNELS = ['begun', 'phase', 'paused', 'resumed', 'cancelled', 'abandoned', 'finished'];

/** @returns the events from here on, each as its channel and the fields that are asked for */
function listen(...fields: string[]): unknown[][] {
  const seen: unknown[][] = [];
  for (const name of CHANNELS) {
    const handler = (event: unknown): void => {
      seen.push([name, ...fields.map((field) => Reflect.get(event as object, field))]);
    };
    subscribe(`ringproxy:ring:${name}`, handler);
    atEnd(() => void unsubscribe(`ringproxy:ring:${name}`, handler));
  }
  return seen;
}

function at(generation: number, change: ChangeView | null): Parameters<ChangeWatcher['observe']>[0] {
  return { generation, phase: change?.phase ?? 'stable', change };
}

describe('events of ring changes', () => {
  it('follow a change from its beginning to its end, each once', () => {
    const seen = listen('change', 'kind', 'phase', 'generation');
    const watcher = new ChangeWatcher(true);
    watcher.observe(at(1, null));
    watcher.observe(at(1, changeView({ id: 'x', phase: 'preparing' })));
    watcher.observe(at(1, changeView({ id: 'x', phase: 'preparing' })));
    watcher.observe(at(1, changeView({ id: 'x', phase: 'moving' })));
    watcher.observe(at(2, null));
    watcher.observe(at(2, null));
    expect(seen).toEqual([
      ['begun', 'x', 'add', 'preparing', 1],
      ['phase', 'x', 'add', 'preparing', 1],
      ['phase', 'x', 'add', 'moving', 1],
      ['finished', 'x', 'add', 'stable', 2],
    ]);
  });

  it('say what was moved, by this change alone', () => {
    const seen = listen('keysMoved', 'bytesMoved');
    const watcher = new ChangeWatcher(true);
    for (const [id, keys] of [
      ['x', 5],
      ['y', 7],
    ] as const) {
      watcher.observe(at(1, changeView({ id })));
      watcher.countMoved(keys, 100);
      watcher.observe(at(2, null));
    }
    expect(seen.filter(([name]) => name === 'finished')).toEqual([
      ['finished', 5, 100],
      ['finished', 7, 100],
    ]);
  });

  it('say who paused it: a person, or a failure', () => {
    const seen = listen('error');
    const watcher = new ChangeWatcher(true);
    watcher.observe(at(1, changeView()));
    seen.length = 0;
    watcher.observe(at(1, changeView({ paused: true })));
    watcher.observe(at(1, changeView({ paused: false })));
    watcher.observe(at(1, changeView({ paused: true, error: 'out of memory' })));
    expect(seen).toEqual([
      ['paused', null],
      ['resumed', null],
      ['paused', 'out of memory'],
    ]);
  });

  it('tell a change that was turned round from one that was given up', () => {
    const seen = listen('change', 'kind');
    const watcher = new ChangeWatcher(true);
    watcher.observe(at(1, changeView({ id: 'x' })));
    watcher.observe(at(2, changeView({ id: 'y', kind: 'cancel', phase: 'preparing' })));
    watcher.observe(at(3, null));
    expect(seen.filter(([name]) => name !== 'phase')).toEqual([
      ['begun', 'x', 'add'],
      ['cancelled', 'x', 'add'],
      ['begun', 'y', 'cancel'],
      ['finished', 'y', 'cancel'],
    ]);
    seen.length = 0;
    watcher.observe(at(3, changeView({ id: 'z', phase: 'preparing' })));
    watcher.observe(at(3, null));
    expect(seen.at(-1)).toEqual(['abandoned', 'z', 'add']);
  });
});
