import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { startChild } from './child.js';
import { freePort } from './free-port.js';
import { findReferee, requireProgram } from './programs.js';
import { ROOT } from './root.js';
import { tempFolder } from './temp-folder.js';

/** Whether the tests that need Prometheus can run: some systems do not package it. */
export const hasPrometheus = findReferee('prometheus') !== null && findReferee('promtool') !== null;

export const COMPOSE = join(ROOT, 'compose');

/** One series of an answer. */
export interface QueryResult {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The parts of `prometheus.yml` that a test changes. */
interface PrometheusConfig {
  global: { scrape_interval: string; evaluation_interval: string };
  rule_files: string[];
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
}

/** A real Prometheus that ends with the test (or file) that started it. */
export class PrometheusProcess {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** @returns the series that an expression gives now. @throws Error with Prometheus' words when it is not valid */
  async query(expression: string): Promise<QueryResult[]> {
    const rows = await this.#get(`query?${new URLSearchParams({ query: expression })}`);
    // A scalar is one pair, a vector is a list of series.
    if (rows.resultType === 'scalar') return [{ labels: {}, value: Number(rows.result[1]) }];
    return rows.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** Names of alerts that fire or are about to. */
  async alerts(): Promise<string[]> {
    const { alerts } = await this.#get<{ alerts: { labels: { alertname: string } }[] }>('alerts');
    return alerts.map(({ labels }) => labels.alertname);
  }

  /** Errors of rules that could not be evaluated. */
  async ruleErrors(): Promise<string[]> {
    const { groups } = await this.#get<{ groups: { rules: { name: string; lastError?: string }[] }[] }>('rules');
    return groups.flatMap(({ rules }) =>
      rules.flatMap(({ name, lastError }) => (lastError === undefined ? [] : [`${name}: ${lastError}`])),
    );
  }

  /** Waits until so many further scrapes of the proxies have succeeded. */
  async scraped(times: number): Promise<void> {
    const count = async (): Promise<number> =>
      (await this.query('count_over_time(up{job="ringproxy"}[1h])'))[0]?.value ?? 0;
    const enough = (await count()) + times;
    await this.until(async () => (await count()) >= enough);
  }

  /** Prometheus tells nobody when something has become true there: asks again and again. */
  async until(reached: () => Promise<boolean>): Promise<void> {
    while (!(await reached())) await delay(100);
  }

  async #get<T = Answer>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${path}`);
    const body = (await answer.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${body.error}`);
    return body.data;
  }
}

type Answer =
  | { resultType: 'vector'; result: { metric: Record<string, string>; value: [number, string] }[] }
  | { resultType: 'scalar'; result: [number, string] };

/**
 * Starts Prometheus with `compose/prometheus.yml`, but for the addresses and for a scrape each second.
 * @param target HOST:PORT of a proxy's admin API
 */
export async function startPrometheus(target: string): Promise<PrometheusProcess> {
  const folder = tempFolder('prometheus');
  const port = await freePort();
  const config = parse(readFileSync(join(COMPOSE, 'prometheus.yml'), 'utf8')) as PrometheusConfig;
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
  config.rule_files = config.rule_files.map((file) => join(COMPOSE, file));
  for (const scrape of config.scrape_configs) {
    scrape.static_configs = [{ targets: [scrape.job_name === 'ringproxy' ? target : `127.0.0.1:${port}`] }];
  }
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  const child = await startChild('prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await child.line((line) => (line.includes('Server is ready to receive web requests') ? true : null));
  return new PrometheusProcess(`http://127.0.0.1:${port}`);
}

/** Runs promtool in `compose`. @returns what it printed. @throws Error with what it printed when it finds fault */
export function promtool(args: readonly string[], input = ''): string {
  return execFileSync(requireProgram('promtool'), args, { cwd: COMPOSE, input, encoding: 'utf8', stdio: 'pipe' });
}
