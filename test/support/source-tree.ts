// The project's own source files, read and parsed for the tests of hygiene. Read once per test
// file; nothing here changes a file. Paths are relative to the project's folder, with forward
// slashes.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** The project's folder, absolute. */
export const projectFolder: string = path.resolve(import.meta.dirname, '..', '..');

/** The layers, each of which may import itself and those before it. */
export const layers: readonly string[] = ['core', 'persist', 'gateway'];

/** The only folders at the top, dot folders and what is not checked in aside. */
export const topFolders: readonly string[] = [...layers, 'bench', 'test', 'scripts'];

/** One source file. */
export interface SourceFile {
  /** Relative path. */
  readonly file: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** All files under the top folders and the configuration files in code, parsed. */
export function readSourceFiles(): SourceFile[] {
  const files = topFolders.flatMap((folder) => listFiles(folder));
  return [...files, 'vitest.config.ts']
    .filter((file) => /\.(ts|mjs)$/.test(file))
    .map((file) => {
      const text = readFileSync(path.join(projectFolder, file), 'utf8');
      return { file, text, tree: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true) };
    });
}

/** The file and line of a node, as an editor opens it. */
export function placeOf(source: SourceFile, node: ts.Node): string {
  return `${source.file}:${source.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

/** All that a file imports, `import(…)` and `export … from` included, as written. */
export function importsOf(source: SourceFile): string[] {
  const found: string[] = [];
  walk(source.tree, (node) => {
    const isStatement = ts.isImportDeclaration(node) || ts.isExportDeclaration(node);
    const isCall =
      ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
    const target = isStatement ? node.moduleSpecifier : isCall ? node.arguments[0] : undefined;
    if (target !== undefined && ts.isStringLiteralLike(target)) found.push(target.text);
  });
  return found;
}

/** Calls `visit` on every node below the given one, itself included. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function listFiles(folder: string): string[] {
  const entries = readdirSync(path.join(projectFolder, folder), {
    recursive: true,
    withFileTypes: true,
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(projectFolder, path.join(entry.parentPath, entry.name)))
    .map((file) => file.split(path.sep).join('/'));
}
