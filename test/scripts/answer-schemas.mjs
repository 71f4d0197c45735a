// The shapes of the admin API's answers as JSON Schema, made of the types in src/admin/api.ts.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createGenerator } from 'ts-json-schema-generator';
import { root } from '../../cli/bootstrap/project.mjs';

const FILE = 'src/admin/routes/answer-schemas.ts';
const HEAD = `/**
 * Answers of the admin API as JSON Schema. Made of src/admin/api.ts by \`npm run docs\`; a test sees to it that they agree.
 */
export const ANSWER_SCHEMAS: Readonly<Record<string, object>> = `;

/** @param answers names of types in src/admin/api.ts @returns the text of src/admin/routes/answer-schemas.ts */
export function answerSchemas(answers) {
  const generator = createGenerator({
    path: join(root, 'src/admin/api.ts'),
    tsconfig: join(root, 'tsconfig.json'),
    // Clients that read an answer are not to fail on what a later version adds.
    additionalProperties: true,
    skipTypeCheck: true,
    topRef: true,
  });
  const all = {};
  for (const name of [...answers].sort()) Object.assign(all, generator.createSchema(name).definitions);
  const inDocument = JSON.stringify(all, tuples).replaceAll('"#/definitions/', '"#/components/schemas/');
  const written = spawnSync(join(root, 'node_modules/.bin/biome'), ['format', `--stdin-file-path=${FILE}`], {
    cwd: root,
    input: `${HEAD}${inDocument};\n`,
    encoding: 'utf8',
  });
  if (written.status !== 0) throw new Error(`${FILE} could not be formatted: ${written.stderr}`);
  return written.stdout;
}

/** A replacer of `JSON.stringify`: OpenAPI 3.1 is of JSON Schema 2020-12, whose word for the items of a tuple is another. */
function tuples(_name, value) {
  if (!Array.isArray(value?.items)) return value;
  const { items, ...others } = value;
  return { ...others, prefixItems: items };
}
