// The shapes of the admin API's answers as JSON Schema, made of the types in src/admin/api: a file for each of its files,
// and one with all of them.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGenerator } from 'ts-json-schema-generator';
import { root } from '../../cli/bootstrap/project.mjs';

const TYPES = 'src/admin/api';
/** With the ending `.ts`: all of them, in the order of the OpenAPI document. Without: the folder of those that it imports. */
const SCHEMAS = 'src/admin/routes/answer-schemas';
const HEAD = `/**
 * Answers of the admin API as JSON Schema, in the order of its OpenAPI document. Made of src/admin/api by \`npm run docs\`,
 * as is what is imported here; a test sees to it that they agree.
 */`;
const CUT = '// A file ends here.\n';

/** @param answers names of types in src/admin/api @returns the text of each file, by its path */
export function answerSchemas(answers) {
  const schemas = schemasOf(answers);
  const areas = areasOf();
  const byArea = new Map();
  for (const [name, schema] of Object.entries(schemas)) {
    const area = areas.get(name);
    if (area === undefined) throw new Error(`${name} is none of the types in ${TYPES}`);
    byArea.set(area, { ...byArea.get(area), [name]: schema });
  }
  const sorted = [...byArea].sort(([a], [b]) => (a < b ? -1 : 1));
  const imports = sorted.map(([area]) => `import { ${constantOf(area)} } from './answer-schemas/${area}.js';\n`);
  const rows = Object.keys(schemas).map((name) => `${name}: ${constantOf(areas.get(name))}.${name},`);
  const index = `${HEAD}
${imports.join('')}
export const ANSWER_SCHEMAS: Readonly<Record<string, object>> = {
${rows.join('\n')}
};
`;
  const parts = sorted.map(
    ([area, own]) => `/** As the types in ${TYPES}/${area}.ts say; made by \`npm run docs\`. */
export const ${constantOf(area)} = ${JSON.stringify(own)};
`,
  );
  const files = [`${SCHEMAS}.ts`, ...sorted.map(([area]) => `${SCHEMAS}/${area}.ts`)];
  const texts = formatted([index, ...parts]);
  return new Map(files.map((file, at) => [file, texts[at]]));
}

/** @returns the files that are there, by their paths */
export function writtenSchemas() {
  const files = [`${SCHEMAS}.ts`, ...readdirSync(join(root, SCHEMAS)).map((name) => `${SCHEMAS}/${name}`)];
  return new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

/** @returns by name: those of the answers, each with those that it names behind it */
function schemasOf(answers) {
  const generator = createGenerator({
    path: join(root, `${TYPES}.ts`),
    tsconfig: join(root, 'tsconfig.json'),
    // Clients that read an answer are not to fail on what a later version adds.
    additionalProperties: true,
    skipTypeCheck: true,
    topRef: true,
  });
  const all = {};
  for (const name of [...answers].sort()) Object.assign(all, generator.createSchema(name).definitions);
  return JSON.parse(JSON.stringify(all, tuples).replaceAll('"#/definitions/', '"#/components/schemas/'));
}

/** @returns the file of each type, without `.ts` */
function areasOf() {
  const files = readdirSync(join(root, TYPES));
  return new Map(
    files.flatMap((file) => {
      const text = readFileSync(join(root, TYPES, file), 'utf8');
      return [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => [name, file.slice(0, -3)]);
    }),
  );
}

/** `hot-keys` is `HOT_KEYS_SCHEMAS`. */
function constantOf(area) {
  return `${area.replaceAll('-', '_').toUpperCase()}_SCHEMAS`;
}

/** All of them at once: it takes longer to start the formatter than to format. */
function formatted(texts) {
  const { status, stdout, stderr } = spawnSync(
    join(root, 'node_modules/.bin/biome'),
    ['format', `--stdin-file-path=${SCHEMAS}.ts`],
    { cwd: root, input: texts.join(CUT), encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the schemas of answers could not be formatted: ${stderr}`);
  return stdout.split(CUT);
}

/** A replacer of `JSON.stringify`: OpenAPI 3.1 is of JSON Schema 2020-12, whose word for the items of a tuple is another. */
function tuples(_name, value) {
  if (!Array.isArray(value?.items)) return value;
  const { items, ...others } = value;
  return { ...others, prefixItems: items };
}
