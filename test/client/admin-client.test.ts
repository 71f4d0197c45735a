import { describe, expect, it } from 'vitest';
import { AdminClient } from '../../src/client/admin-client.js';
import { AdminError } from '../../src/client/admin-error.js';
import { ringView, startAdmin } from '../cli/fake-admin.js';
import { freePort } from '../support/free-port.js';

async function failure(promise: Promise<unknown>): Promise<AdminError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof AdminError) return error;
  throw new Error(`expected an AdminError, got ${String(error)}`);
}

describe('the admin client', () => {
  it('sends the token, and asks below the URL that it was given', async () => {
    const seen: string[] = [];
    const url = await startAdmin((server) => {
      server.get('/v1/ring', (request) => {
        seen.push(String(request.headers.authorization));
        return ringView();
      });
    });
    expect(await new AdminClient({ admin: `${url}/`, token: 'secret' }).ring()).toEqual(ringView());
    await new AdminClient({ admin: url }).ring();
    expect(seen).toEqual(['Bearer secret', 'undefined']);
  });

  it('takes HOST:PORT, as serve does, for a URL', async () => {
    const url = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
    });
    expect((await new AdminClient({ admin: url.replace('http://', '') }).ring()).generation).toBe(1);
  });

  it('refuses what is no URL as a wrong call', () => {
    expect(() => new AdminClient({ admin: 'localhost' })).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(() => new AdminClient({ admin: 'unix:/tmp/x' })).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  it('hands on what the API says, with its hint', async () => {
    const url = await startAdmin((server) => {
      server.get('/v1/ring', (_request, reply) =>
        reply.code(401).send({ error: { code: 'UNAUTHORIZED', message: 'the token is wrong', hint: 'give it' } }),
      );
    });
    expect(await failure(new AdminClient({ admin: url }).ring())).toMatchObject({
      message: 'the token is wrong',
      hint: 'give it',
      exitCode: 1,
    });
  });

  it('says that something else listens there', async () => {
    const url = await startAdmin((server) => {
      server.get('/v1/ring', (_request, reply) => reply.code(200).type('text/html').send('<html>'));
    });
    const error = await failure(new AdminClient({ admin: url }).ring());
    expect(error.message).toBe(`${url} answered 200, not as the admin API does`);
    expect(error.hint).toMatch(/check --admin/);
  });

  // Symptom: a stack trace of undici's. Cause: the body was read outside of what catches a lost connection.
  it('an answer that is cut off is a message too', async () => {
    const url = await startAdmin((server) => {
      server.get('/v1/ring', (_request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        reply.raw.write('{"generation":', () => reply.raw.destroy());
      });
    });
    expect((await failure(new AdminClient({ admin: url }).ring())).message).toMatch(/cannot be reached/);
  });

  it('says that nobody listens', async () => {
    const error = await failure(new AdminClient({ admin: `http://127.0.0.1:${await freePort()}` }).stats());
    expect(error.message).toMatch(/cannot be reached: nothing listens there$/);
    expect(error.hint).toMatch(/is ringproxy serve running\? .*--admin URL or RINGPROXY_ADMIN/);
  });
});
