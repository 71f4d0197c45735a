/** What stands around commands that a node is to run as one. */
import { request as encodeRequest } from '../../resp/encode.js';

export const MULTI = Buffer.from(encodeRequest(['MULTI']));
export const EXEC = Buffer.from(encodeRequest(['EXEC']));
export const UNWATCH = Buffer.from(encodeRequest(['UNWATCH']));
