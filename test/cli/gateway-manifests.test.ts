import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { systemRuntime } from '../../src/core/runtime.ts';
import { makeCertificate } from '../../src/server/tls-certificate.ts';
import { postgresForTests } from '../support/postgres.ts';
import { CliProcess, notesOf, sdkClient, temporaryFolder } from './cli-process.ts';

const GUIDE = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
const KEY = Buffer.from('a key of this test, of as many bytes as a key of the service has it, sixty-four')
  .subarray(0, 64)
  .toString('base64');

/** The block of a language in the guide. */
function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'su').exec(GUIDE)?.[1];
  expect(found, language).toBeDefined();
  return found as string;
}

interface Started {
  readonly cli: CliProcess;
  readonly url: string;
  readonly port: number;
}

/** Runs what a manifest runs, with a store and a port of this test in place of its own. */
async function start(words: readonly string[], replacements: Readonly<Record<string, string>> = {}): Promise<Started> {
  const { url, freshSchema, dropSchemas } = await postgresForTests();
  const schema = freshSchema();
  const store = new URL(url);
  store.searchParams.set('schema', schema);
  expect(words).toContain('--store');
  const args = words.map((word, index) => (words[index - 1] === '--store' ? store.href : (replacements[word] ?? word)));
  const cli = new CliProcess([...args, '--port', '0', '--json'], { env: { PERIGEE_KEY: KEY } });
  onTestFinished(async () => {
    await cli.stop('SIGTERM');
    await dropSchemas(schema);
  });
  return { cli, ...(JSON.parse(await cli.firstLine()) as { url: string; port: number }) };
}

function statusAs(port: number, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly args: readonly string[];
            readonly ports: readonly [{ readonly containerPort: number }];
            readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: number } };
            readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: number } };
          },
        ];
      };
    };
  };
}

test('the image with the arguments of the Kubernetes manifest serves, answers probes by its address, and clients by its name', async () => {
  const [, entry] = /^ENTRYPOINT (.*)$/mu.exec(block('dockerfile')) ?? [];
  const [npx, program, ...before] = JSON.parse(entry ?? '[]') as string[];
  expect([npx, program]).toEqual(['npx', 'perigee']);
  const [{ args, ports, readinessProbe, livenessProbe }] = (parse(block('yaml')) as Deployment).spec.template.spec.containers;
  const { url, port } = await start([...before, ...args]);
  for (const { httpGet } of [readinessProbe, livenessProbe]) {
    expect(httpGet.port).toBe(ports[0].containerPort);
    expect(await statusAs(port, httpGet.path, `10.42.0.7:${port}`)).toBe(200);
  }
  expect(await statusAs(port, '/', `perigee:${port}`)).toBe(401);
  const notes = await notesOf(sdkClient(url, KEY));
  expect((await notes.items.create({ id: '1', owner: 'ada' })).statusCode).toBe(201);
});

test('the command of the systemd unit serves TLS', async () => {
  const unit = block('ini');
  const [, line] = /^ExecStart=(.*)$/mu.exec(unit) ?? [];
  const words = (line ?? '').split(' ');
  const folder = temporaryFolder();
  const { cert, key } = await makeCertificate(['localhost'], systemRuntime);
  const files = { '/etc/perigee/tls.crt': join(folder, 'tls.crt'), '/etc/perigee/tls.key': join(folder, 'tls.key') };
  writeFileSync(files['/etc/perigee/tls.crt'], cert);
  writeFileSync(files['/etc/perigee/tls.key'], key, { mode: 0o600 });
  const { url } = await start(words.slice(words.indexOf('perigee') + 1), files);
  expect(url).toMatch(/^https:/u);
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd) {
  console.log('The systemd unit of docs/gateway.md is not looked at: there is no systemd-analyze here.');
}

test.runIf(hasSystemd)('systemd finds nothing to say about its unit', () => {
  const path = join(temporaryFolder(), 'perigee.service');
  // Whether the program is installed here is of no interest.
  writeFileSync(path, block('ini').replace(/^ExecStart=\S+/mu, `ExecStart=${process.execPath}`));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
