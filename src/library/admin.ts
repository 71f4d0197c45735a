/** `import { AdminClient } from 'ringproxy/admin'`: what the command line does, for programs. */
export type * from '../admin/api.js';
export { AdminClient, type EventsAsk, type FleetAsk, type GroupsAsk } from '../client/admin-client.js';
export { AdminError, UnreachableError } from '../client/admin-error.js';
export type { ProxyEvent } from '../client/event-stream.js';
export type { FollowOptions } from '../client/follow.js';
export type { AdminOptions } from '../client/transport.js';
