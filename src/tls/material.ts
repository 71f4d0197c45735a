/** What one side of a TLS connection is made with: files, what they hold, and which TLS may be spoken. */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf, systemCode } from '../errors.js';

/** Paths; empty: there is none. */
export interface TlsFiles {
  /** This side's certificate, and what stands between it and its authority behind it. */
  readonly cert: string;
  readonly key: string;
  /** Certificates of the authorities that the other side's is to be signed by. */
  readonly ca: string;
}

export type TlsPart = keyof TlsFiles;
export const TLS_PARTS: readonly TlsPart[] = ['cert', 'key', 'ca'];

/** What the files hold: PEM. Plain, so that it can be sent to another process. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Where no files are given: the authorities that Node.js brings are trusted, and nothing is shown. */
export const NO_MATERIAL: TlsMaterial = { cert: '', key: '', ca: '' };

/** Which TLS may be spoken; the same on every link. */
export interface TlsRules {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** As OpenSSL lists ciphers, those of TLS 1.3 among them; empty: `SAFE_CIPHERS`. */
  readonly ciphers: string;
}

/** What a certificate says of itself. */
export interface CertificateFacts {
  readonly part: 'cert' | 'ca';
  /** Such as `CN=cache.example.com`. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly expiresAt: number;
  /** Of an RSA key; null: it is another one. */
  readonly rsaBits: number | null;
  /** What it may be used for (extendedKeyUsage): `serverAuth`, `clientAuth`, `any`, or an OID; null: it does not say. */
  readonly purposes: readonly string[] | null;
}

/** With keys that are made anew for each connection, and ciphers that tell of each changed byte: no others. */
export const SAFE_CIPHERS =
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20';

/** Other sides open no session anew, and negotiate nothing anew: each connection is checked by what is in force. */
const NOTHING_TWICE = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

/** For `tls.createSecureContext`, `tls.createServer` and `tls.connect`. */
export function secureOptions({ cert, key, ca }: TlsMaterial, { minVersion, ciphers }: TlsRules): SecureContextOptions {
  return {
    minVersion,
    ciphers: ciphers === '' ? SAFE_CIPHERS : ciphers,
    honorCipherOrder: true,
    secureOptions: NOTHING_TWICE,
    ...(cert === '' ? {} : { cert, key }),
    ...(ca === '' ? {} : { ca: pemCertificates(ca) }),
  };
}

/** A mistake in one of the files. */
export interface PartMistake {
  readonly part: TlsPart;
  /** What is wrong and what to do, without the file's name. */
  readonly message: string;
}

/**
 * What is wrong with the files' content. Dates are not looked at (`certificates.ts`).
 * @returns nothing where it can be used
 */
export function materialMistakes({ cert, key, ca }: TlsMaterial): PartMistake[] {
  const mistakes: PartMistake[] = [];
  const certificate = cert === '' ? null : checkCertificates('cert', cert, mistakes)[0];
  if (ca !== '') checkCertificates('ca', ca, mistakes);
  if (cert !== '' && key === '') mistakes.push({ part: 'key', message: 'the certificate needs its private key, too' });
  if (cert === '' && key !== '') mistakes.push({ part: 'cert', message: 'the private key needs its certificate, too' });
  if (key === '') return mistakes;
  const why = whyNoKey(key);
  if (why !== null) mistakes.push({ part: 'key', message: why });
  if (mistakes.length > 0 || certificate === null || certificate === undefined) return mistakes;
  if (!certificate.checkPrivateKey(createPrivateKey(key))) {
    const message = `holds another private key than that of the certificate (${subjectOf(certificate)})`;
    return [{ part: 'key', message }];
  }
  try {
    // What only OpenSSL refuses, such as keys that are too short.
    createSecureContext({ cert, key });
  } catch (error) {
    mistakes.push({ part: 'cert', message: whyNotUsed(error) });
  }
  return mistakes;
}

const EXAMPLE_CIPHERS = 'TLS_AES_256_GCM_SHA384:ECDHE+AESGCM';

/** @returns what is wrong with the ciphers, or null */
export function cipherMistake(rules: TlsRules): string | null {
  if (rules.minVersion === 'TLSv1.3' && rules.ciphers !== '' && !rules.ciphers.includes('TLS_')) {
    return 'names none of TLS 1.3, which begin with TLS_ (TLS_AES_256_GCM_SHA384), and tls-min-version is TLSv1.3';
  }
  try {
    createSecureContext(secureOptions({ cert: '', key: '', ca: '' }, rules));
    return null;
  } catch {
    return `is no list of ciphers that OpenSSL takes: expected names between colons, such as ${EXAMPLE_CIPHERS}`;
  }
}

/** Of usable content. @returns the certificates of both files, in their order */
export function factsOf({ cert, ca }: TlsMaterial): CertificateFacts[] {
  const of = (part: 'cert' | 'ca', pem: string): CertificateFacts[] =>
    pemCertificates(pem).map((text) => {
      const certificate = new X509Certificate(text);
      const [validFrom, expiresAt] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
      const [rsaBits, purposes] = [rsaBitsOf(certificate), purposesOf(certificate)];
      return { part, subject: subjectOf(certificate), validFrom, expiresAt, rsaBits, purposes };
    });
  return [...of('cert', cert), ...of('ca', ca)];
}

const BEGIN = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const WHOLE = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g;

function pemCertificates(pem: string): string[] {
  return pem.match(WHOLE) ?? [];
}

function checkCertificates(part: 'cert' | 'ca', pem: string, mistakes: PartMistake[]): X509Certificate[] {
  const texts = pemCertificates(pem);
  if (texts.length === 0) {
    const holds = pem.includes('PRIVATE KEY-----') ? 'holds a private key and no certificate' : 'holds no certificate';
    mistakes.push({ part, message: `${holds} in PEM (-----BEGIN CERTIFICATE-----)` });
    return [];
  }
  if ((pem.match(BEGIN) ?? []).length > texts.length) {
    mistakes.push({ part, message: 'is cut off: its last certificate has no end' });
    return [];
  }
  try {
    return texts.map((text) => new X509Certificate(text));
  } catch {
    mistakes.push({ part, message: 'holds a certificate that cannot be read: it is damaged' });
    return [];
  }
}

function whyNotUsed(error: unknown): string {
  const code = systemCode(error);
  if (/KEY_TOO_SMALL/.test(code)) return 'has a key that is too short: make one of 2048 bits (RSA) or of P-256';
  if (/MD_TOO_WEAK/.test(code)) return 'is signed with a hash that is not safe any more: have it signed with SHA-256';
  return `cannot be used: ${messageOf(error)}`;
}

/** Says nothing of what the file holds. */
function whyNoKey(pem: string): string | null {
  if (!pem.includes('PRIVATE KEY-----')) return 'holds no private key in PEM (-----BEGIN PRIVATE KEY-----)';
  if (pem.includes('ENCRYPTED')) {
    return 'holds a private key with a passphrase: write it without one (openssl pkey), readable by this user alone';
  }
  try {
    createPrivateKey(pem);
    return null;
  } catch {
    return 'holds a private key that cannot be read: it is cut off or damaged';
  }
}

function rsaBitsOf({ publicKey }: X509Certificate): number | null {
  const isRsa = publicKey.asymmetricKeyType === 'rsa' || publicKey.asymmetricKeyType === 'rsa-pss';
  return isRsa ? (publicKey.asymmetricKeyDetails?.modulusLength ?? null) : null;
}

/** RFC 5280, 4.2.1.12. */
const PURPOSES: ReadonlyMap<string, string> = new Map([
  ['1.3.6.1.5.5.7.3.1', 'serverAuth'],
  ['1.3.6.1.5.5.7.3.2', 'clientAuth'],
  ['2.5.29.37.0', 'any'],
]);

function purposesOf(certificate: X509Certificate): readonly string[] | null {
  // What Node.js calls keyUsage is extendedKeyUsage, and undefined where there is none, against its type.
  const oids: readonly string[] | undefined = certificate.keyUsage;
  return oids?.map((oid) => PURPOSES.get(oid) ?? oid) ?? null;
}

function subjectOf({ subject, subjectAltName = '' }: X509Certificate): string {
  return (subject || subjectAltName).replaceAll('\n', ', ');
}
