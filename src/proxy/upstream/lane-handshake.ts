import { request } from '../../resp/encode.js';

/** What makes a lane that of its kind: commands of one kind share lanes, others never do. */
export interface LaneKind {
  readonly protocol: 2 | 3;
  readonly database: number;
}

export interface HandshakeIdentity {
  readonly username: string;
  readonly password: string;
  /** Name of the connection at the node, so that an operator (and a later fence) can tell whose it is. */
  readonly connectionName: string;
}

/** The frames that open a lane, with what each is there for, in the order of their replies. */
export interface Handshake {
  readonly bytes: Buffer;
  readonly steps: readonly string[];
}

/**
 * @param asksRunId whether it must be known which process of the node answers
 * @returns AUTH, HELLO, CLIENT SETNAME, SELECT, CLIENT ID and INFO as far as the kind needs them, in one piece
 */
export function buildHandshake(kind: LaneKind, identity: HandshakeIdentity, asksRunId: boolean): Handshake {
  const frames: Buffer[] = [];
  const steps: string[] = [];
  const add = (step: string, ...words: string[]): void => {
    frames.push(Buffer.from(request(words)));
    steps.push(step);
  };
  if (identity.password !== '') {
    if (identity.username !== '') add('AUTH', 'AUTH', identity.username, identity.password);
    else add('AUTH', 'AUTH', identity.password);
  }
  if (kind.protocol === 3) add('HELLO 3', 'HELLO', '3');
  add('CLIENT SETNAME', 'CLIENT', 'SETNAME', identity.connectionName);
  if (kind.database !== 0) add(`SELECT ${kind.database}`, 'SELECT', String(kind.database));
  add('CLIENT ID', 'CLIENT', 'ID');
  if (asksRunId) add('INFO', 'INFO', 'server');
  return { bytes: Buffer.concat(frames), steps };
}
