import { execFileSync } from 'node:child_process';
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
    const { names = 'IP:127.0.0.1,DNS:localhost', days = 60, rsaBits } = how;
    const { certFile, keyFile } = this.#files(name);
    const request = join(this.#folder, `${name}.csr`);
    const extensions = join(this.#folder, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=${usages.join(',')}\n`);
    openssl(['req', '-new', '-subj', `/CN=${name}`, ...newKey(keyFile, rsaBits), '-out', request]);
    const signing = ['-CA', this.#own.certFile, '-CAkey', this.#own.keyFile, '-CAcreateserial', '-days', String(days)];
    openssl(['x509', '-req', '-in', request, ...signing, '-extfile', extensions, '-out', certFile]);
    return read(certFile, keyFile);
  }

  #files(name: string): Certificate {
    const [certFile, keyFile] = [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}-key.pem`)];
    return { certFile, keyFile, cert: '', key: '' };
  }
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
