/** Clients that send nothing, too much at once, or do not take what they are sent. */
import type { SettingRows } from './form.js';

export const CLIENT_SETTINGS = {
  idleTimeout: {
    path: 'idle-timeout',
    type: 'duration',
    least: '0',
    most: '8760h',
    default: '0',
    help: 'clients that send nothing for so long are closed; 0: never',
  },
  clientMaxPending: {
    path: 'client-max-pending',
    type: 'count',
    least: 16,
    most: 16_777_216,
    default: 8192,
    help: "a client's commands in flight at which its reading pauses",
  },
  clientOutputLimit: {
    path: 'client-output-limit',
    type: 'size',
    least: '64kb',
    most: '16gb',
    default: '64mb',
    help: 'replies that a client has not taken at which its reading pauses',
  },
  clientQueryLimit: {
    path: 'client-query-limit',
    type: 'size',
    least: '64kb',
    most: '16gb',
    default: '1gb',
    help: 'largest request that is gathered (those of several keys); values of one key are streamed',
  },
  clientStallTimeout: {
    path: 'client-stall-timeout',
    type: 'duration',
    least: '100ms',
    most: '24h',
    default: '1m',
    help: 'a client that takes none of its replies, or sends nothing of the large value that it has begun, for so long is closed',
  },
  clientUploadTimeout: {
    path: 'client-upload-timeout',
    type: 'duration',
    least: '100ms',
    most: '24h',
    default: '1h',
    help: 'most time that a client may take to send one large value; then it is closed',
  },
} as const satisfies SettingRows;
