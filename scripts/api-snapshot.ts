/**
 * Compares the public API with `api/<entry>.api.md`: every exported name of every subpath, with its declaration.
 * `npm run build && npm run api -- --update` writes the files after an intended change; the diff then shows it to the reviewer.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const update = process.argv.includes('--update');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string | { types: string }> };
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name: name === '.' ? 'index' : name.slice(2).replaceAll('/', '-'), file: target.types }],
);
const program = ts.createProgram(
  entries.map(({ file }) => file),
  {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
  },
);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });

function declarationsOf(symbol: ts.Symbol): string[] {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return (target.declarations ?? []).map((declaration) => {
    const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    return printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
  });
}

let failed = false;
mkdirSync('api', { recursive: true });
for (const { name, file } of entries) {
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) {
    console.error(`${file} is missing or exports nothing. Run npm run build first.`);
    process.exit(1);
  }
  const symbols = checker.getExportsOfModule(module).toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const text = `# Public API: ${name}\n\n${symbols.map((symbol) => `\`\`\`ts\n// ${symbol.name}\n${declarationsOf(symbol).join('\n')}\n\`\`\`\n`).join('\n')}`;
  const path = `api/${name}.api.md`;
  if (update) {
    writeFileSync(path, text);
  } else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`The public API of ${name} differs from ${path}. After an intended change: npm run build && npm run api -- --update`);
    failed = true;
  }
}
if (failed) {
  process.exit(1);
}
console.log(update ? `Wrote ${entries.length} API snapshots.` : `${entries.length} API snapshots match.`);
