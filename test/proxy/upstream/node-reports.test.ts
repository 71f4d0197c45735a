import { afterEach, expect, it } from 'vitest';
import { type NodeTroubleEvent, nodeImpaired, nodeRecovered } from '../../../src/proxy/events.js';
import { NodeReports } from '../../../src/proxy/upstream/node-reports.js';

const told: string[] = [];
const onImpaired = (event: unknown): void => {
  const { reason, answersNothing } = event as NodeTroubleEvent;
  told.push(`${reason}${answersNothing ? ' (answers nothing)' : ''}`);
};
const onRecovered = (): void => {
  told.push('well');
};

function subscribe(): void {
  nodeImpaired.subscribe(onImpaired);
  nodeRecovered.subscribe(onRecovered);
}
afterEach(() => {
  nodeImpaired.unsubscribe(onImpaired);
  nodeRecovered.unsubscribe(onRecovered);
  told.length = 0;
});

it('of a node that answers nothing nothing else is news, and what its errors say comes back behind that', () => {
  subscribe();
  const reports = new NodeReports('a', '127.0.0.1:1', true);
  reports.trouble('OOM');
  reports.silence('UNANSWERED');
  reports.trouble('LOADING');
  reports.silence('');
  reports.trouble('');
  expect(told).toEqual(['OOM', 'UNANSWERED (answers nothing)', 'LOADING', 'well']);
});

it('the same reason again is no news, and nobody is told of a replica', () => {
  subscribe();
  const reports = new NodeReports('a', '127.0.0.1:1', true);
  reports.trouble('OOM');
  reports.trouble('OOM');
  new NodeReports('a/replica', '127.0.0.1:2', false).trouble('OOM');
  expect(told).toEqual(['OOM']);
});
