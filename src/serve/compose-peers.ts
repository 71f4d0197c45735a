/** Composition: how this proxy asks others of its ring, and answers them. */
import type { PeerPort } from '../admin/peer-routes.js';
import { peerToken } from '../config/fleet.js';
import type { Config } from '../config/settings.js';
import { peerFiles, tlsRules } from '../config/tls.js';
import { PeerHandlers } from '../fleet/peers/handlers.js';
import type { Peers } from '../fleet/peers/peers.js';
import { systemTimers } from '../time/timers.js';
import { NO_MATERIAL, secureOptions } from '../tls/material.js';
import type { MemberRecords } from '../topology/store/ring-store.js';
import type { TlsParts } from './compose-tls.js';

export interface PeersNeeds {
  readonly config: Config;
  /** This proxy's id, as it is at the moment. */
  readonly ownId: () => string;
  readonly members: Pick<MemberRecords, 'members'>;
  readonly tls: TlsParts;
}

export interface PeersParts {
  readonly peers: Peers;
  /** Here each part that others ask registers what it answers. */
  readonly handlers: PeerHandlers;
  /** For the admin listener. */
  readonly port: PeerPort;
  close(): Promise<void>;
}

export async function composePeers({ config, ownId, members, tls: own }: PeersNeeds): Promise<PeersParts> {
  // Loaded when it is needed: a proxy that is alone starts faster without it.
  const { HttpPeers } = await import('../fleet/peers/http-peers.js');
  const token = peerToken(config);
  const handlers = new PeerHandlers();
  const files = peerFiles(config);
  const watched = files === null ? null : own.certificates.open('peers', files.files);
  const rules = tlsRules(config);
  // Others may ask for a certificate: this one's admin API has one.
  const tls = () => {
    const { cert, key } = own.adminMaterial() ?? NO_MATERIAL;
    return secureOptions({ cert, key, ca: watched?.material.ca ?? '' }, rules);
  };
  const peers = new HttpPeers({ ownId, token, members, timers: systemTimers, tls });
  watched?.onChange(() => peers.renew());
  own.onAdminChange(() => peers.renew());
  return {
    peers,
    handlers,
    port: { token, ownId, find: (path) => handlers.find(path) },
    close: () => peers.close(),
  };
}
