import { expect, it } from 'vitest';
import type { Requester } from '../../../src/proxy/request/requester.js';
import { ReadingPause } from '../../../src/proxy/upstream/reading-pause.js';

const client: Requester = {
  id: 1,
  address: 'unix',
  name: '',
  closed: false,
  head: null,
  uploading: false,
  onLargeReply: () => {},
  releaseLane: () => {},
  resumeSoon: () => {},
  close: () => {},
  isNext: () => true,
  onReply: () => {},
  onFailure: () => {},
  onReplyPiece: () => true,
  onReplyPieces: () => {},
  onReplyCut: () => {},
};

it('others wait for 200 ms at most, and once', () => {
  const pause = new ReadingPause();
  expect([pause.client, pause.isTooLong(1000)]).toEqual([null, false]);
  pause.begin(client, 1000);
  expect([pause.isTooLong(1199), pause.isTooLong(1200), pause.isOver]).toEqual([false, true, false]);
  pause.giveUp();
  expect([pause.isTooLong(1300), pause.isOver]).toEqual([false, true]);
  pause.end();
  expect([pause.client, pause.isOver]).toEqual([null, true]);
});
