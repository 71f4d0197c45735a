import { execFileSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findReferee } from './programs.js';
import { tempFolder } from './temp-folder.js';

/** Whether certificates can be made: some systems have no openssl. */
export const hasOpenssl = findReferee('openssl') !== null;

/** Files in PEM, and what they hold. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  /** As OpenSSL writes them, such as `DNS:example.com`; otherwise those of this machine's loopback. */
  readonly names?: string;
  /** For how long it is valid, default 60, which nobody is warned of; -1: it has expired. */
  readonly days?: number;
  /** As OpenSSL writes it (`/CN=one/CN=other`, UTF-8); otherwise it has the name alone. */
  readonly subject?: string;
  /** Of an RSA key; otherwise it is one of P-256. */
  readonly rsaBits?: number;
}

/** A certificate authority of its own, for this machine's loopback. */
export class Authority {
  readonly #folder = tempFolder('certificates');
  readonly #own: Certificate;

  constructor(name: string) {
    this.#own = this.#files('ca');
    const { certFile, keyFile } = this.#own;
    openssl(['req', '-x509', '-subj', `/CN=${name}`, '-days', '60', ...newKey(keyFile), '-out', certFile]);
    this.#own = read(certFile, keyFile);
  }

  /** File of its certificate. */
  get file(): string {
    return this.#own.certFile;
  }

  get cert(): string {
    return this.#own.cert;
  }

  /** @param usages such as `serverAuth` */
  issue(name: string, usages: readonly ('serverAuth' | 'clientAuth')[], how: IssueOptions = {}): Certificate {
    const { names = 'IP:127.0.0.1,DNS:localhost', days = 60, subject = `/CN=${name}`, rsaBits } = how;
    const { certFile, keyFile } = this.#files(name);
    const request = join(this.#folder, `${name}.csr`);
    const extensions = join(this.#folder, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=${usages.join(',')}\n`);
    openssl(['req', '-new', '-utf8', '-subj', subject, ...newKey(keyFile, rsaBits), '-out', request]);
    const signing = ['-CA', this.#own.certFile, '-CAkey', this.#own.keyFile, '-CAcreateserial', '-days', String(days)];
    openssl(['x509', '-req', '-in', request, ...signing, '-extfile', extensions, '-out', certFile]);
    return read(certFile, keyFile);
  }

  /** @returns the certificate with other bytes, as many, in what is signed: what OpenSSL itself would not write */
  withBytes({ cert, key, certFile, keyFile }: Certificate, from: string, to: string): Certificate {
    const whole = Buffer.from(cert.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const start = headerLength(whole, 0);
    const signed = Buffer.from(whole.subarray(start, start + elementLength(whole, start)));
    const at = signed.lastIndexOf(from);
    if (at < 0 || from.length !== to.length) throw new Error(`the certificate has no ${from}`);
    signed.write(to, at, 'latin1');
    const algorithm = start + signed.length;
    const signature = sign('sha256', signed, this.#own.key);
    const parts = [
      signed,
      whole.subarray(algorithm, algorithm + elementLength(whole, algorithm)),
      element(0x03, Buffer.concat([Buffer.from([0]), signature])),
    ];
    const text = element(0x30, Buffer.concat(parts)).toString('base64').replace(/.{64}/g, '$&\n');
    return { certFile, keyFile, key, cert: `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n` };
  }

  #files(name: string): Certificate {
    const [certFile, keyFile] = [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}-key.pem`)];
    return { certFile, keyFile, cert: '', key: '' };
  }
}

/** Of an element in DER. */
function headerLength(der: Buffer, at: number): number {
  const first = der[at + 1] as number;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function elementLength(der: Buffer, at: number): number {
  const header = headerLength(der, at);
  return header + (header === 2 ? (der[at + 1] as number) : der.readUIntBE(at + 2, header - 2));
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

function newKey(file: string, rsaBits?: number): string[] {
  const kind = rsaBits === undefined ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : [`rsa:${rsaBits}`];
  return ['-newkey', ...kind, '-nodes', '-keyout', file];
}

function read(certFile: string, keyFile: string): Certificate {
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
