/** What this process answers, and does, when another one asks or tells. */

import type { PeerAnswer, PeerNews, PeerQuestion } from '../peers/peers.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { killOwn, linesOf } from './clients/list-kill.js';
import type { Features } from './compose.js';
import { NOBODY } from './pubsub/other-counts.js';

export async function answerPeer(features: Features, question: PeerQuestion): Promise<PeerAnswer> {
  const { clients } = features.router.shared;
  switch (question.type) {
    case 'list':
      return { lines: linesOf(features.clients, question.filter, null, 0) };
    case 'kill':
      return killOwn(features.clients, question.filter);
    case 'unblock':
      return (await features.blocking.endWaitOf(question.client, question.mode)) ? 1 : 0;
    case 'invalidated': {
      const target = [...clients].find((client) => client.id === question.client);
      if (target === undefined) return 0;
      features.tracking.tellInPlace(target, question.keys?.map((key) => Buffer.from(key)) ?? null);
      return 1;
    }
    case 'subscribed':
      return {
        subscribed: question.about.map(({ node: name, address, kind, key, withPatterns }) => {
          const node = nodeOf(features, name, address);
          return node === undefined ? NOBODY : features.pubsub.subscribed(node, kind, key, withPatterns);
        }),
      };
    case 'heard':
      // What clients have sent before the question came is read in this turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      await keptUp(features, question.node, question.address);
      return 1;
    case 'filled':
      return { filled: question.keys.map((key) => features.fillWait.answer(key, question.from)) };
    case 'denials':
      return { denials: features.aclLog.list() };
    case 'reset-denials':
      features.aclLog.reset();
      return 1;
    case 'count':
      return { count: features.countClients() };
    case 'caught-up':
      return 1;
    case 'heed':
      onPeerNews(features, question.news);
      return 1;
  }
}

function nodeOf(features: Features, name: string, address: string): UpstreamNode | undefined {
  return features.router.nodes.find((node) => node.name === name && node.address === address);
}

async function keptUp(features: Features, name: string, address: string): Promise<void> {
  const node = nodeOf(features, name, address);
  if (node !== undefined) await features.pubsub.keptUp(node);
}

export function onPeerNews(features: Features, news: PeerNews): void {
  const { context, pause, monitors } = features;
  switch (news.type) {
    case 'paused':
      pause.set(news.until, news.writesOnly);
      break;
    case 'tracking-bound':
      features.tracking.boundKeys(news.maxKeys);
      break;
    case 'monitors':
      monitors.onWanted(news.from, news.wanted);
      break;
    case 'monitored':
      monitors.onLines(news.lines);
      break;
    case 'unfilled':
      for (const key of news.keys) features.fillWait.onLeftElsewhere(key);
      break;
    case 'joined':
      monitors.tellWanted();
      if (pause.active) context.peers?.tell({ type: 'paused', until: pause.until, writesOnly: pause.writesOnly });
      break;
    case 'left':
      monitors.onWanted(news.from, false);
      break;
  }
}
