/** Who may come in, and what they may do. */
import type { SettingRows } from './form.js';

export const ACCESS_SETTINGS = {
  adminCommands: {
    path: 'admin-commands',
    type: 'choice',
    values: ['deny', 'allow'],
    default: 'deny',
    help: 'whether clients may send CONFIG SET, DEBUG and the like, which then go to every node',
    flag: 'deny|allow',
  },
  clusterMode: {
    path: 'cluster-mode',
    type: 'flag',
    default: false,
    help: 'answer CLUSTER as one node that owns all slots, for clients that speak the protocol of Redis Cluster',
    flag: 'true|false',
  },
  crossNode: {
    path: 'cross-node',
    type: 'choice',
    values: ['allow', 'refuse'],
    default: 'allow',
    help: 'whether commands and transactions run whose keys are on several nodes: in steps, with other guarantees than on one node',
    flag: 'refuse|allow',
  },
  crossNodeUsers: {
    path: 'cross-node-users',
    type: 'cross-node by user',
    help: 'users for whom cross-node is otherwise, such as { batch: allow }',
  },
  crossNodeMaxBytes: {
    path: 'cross-node-max-bytes',
    type: 'size',
    least: '1kb',
    most: '16gb',
    default: '64mb',
    help: 'bytes of values that one such command may take from node to node',
  },
  denyCommands: {
    path: 'deny-commands',
    type: 'commands',
    help: 'commands that clients may not send, such as FLUSHALL or CONFIG|SET: they are unknown then',
    flag: 'NAME[,NAME]',
  },
  renameCommands: {
    path: 'rename-commands',
    type: 'command renames',
    help: 'commands that clients reach under another name, and not under their own',
  },
  password: {
    path: 'password',
    type: 'text',
    default: '',
    help: 'password that clients must give with AUTH or HELLO: that of the user default; empty: none',
  },
  users: {
    path: 'users',
    type: 'users',
    help: "who may log in and what they may do, by name, in Redis' ACL syntax",
  },
  usersFile: {
    path: 'users-file',
    type: 'users file',
    help: "file with users in the form of Redis' aclfile, a line for each",
  },
  userScripts: {
    path: 'user-scripts',
    type: 'choice',
    values: ['refuse', 'allow'],
    default: 'refuse',
    help: 'whether users without all rights may run scripts and functions, inside of which their rights are not checked',
  },
  protectedMode: {
    path: 'protected-mode',
    type: 'flag',
    default: true,
    help: 'without a password, let in only clients of this machine, whatever the address to listen on',
  },
} as const satisfies SettingRows;
