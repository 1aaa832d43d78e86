import ts from 'typescript';
import type { Page, Snippet } from './markdown.ts';

/** A program that was put together from the snippets of one page. */
export interface SnippetProgram {
  readonly name: string;
  readonly page: string;
  readonly line: number;
  readonly runs: boolean;
  readonly code: string;
  /** For each line of the code, the line of the page that it came from; `undefined` for the merged imports. */
  readonly origins: readonly (number | undefined)[];
  /** What it must print, in this order, among other things: the comments `// → …`. */
  readonly prints: readonly string[];
}

/** The programs of a page: one of all snippets that stand together, and one for each other. */
export function programsOf({ file, preamble, snippets }: Page): SnippetProgram[] {
  const shared = preamble === undefined ? [] : [preamble];
  const together = snippets.filter(({ mode }) => mode === 'together');
  const alone = snippets.filter(({ mode }) => mode !== 'together');
  const groups = [...(together.length === 0 ? [] : [together]), ...alone.map((snippet) => [snippet])];
  return groups.map((group) => {
    const line = group[0]?.line ?? 1;
    const name = `${file.replace(/\W+/g, '-')}-${line}`;
    const prints = group.flatMap(({ code }) =>
      [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text = '']) => text.trim()),
    );
    return { name, page: file, line, runs: group[0]?.mode !== 'no-run', prints, ...merge([...shared, ...group]) };
  });
}

interface Imported {
  readonly names: Map<string, { isType: boolean }>;
  readonly whole: Set<string>;
}

/** Joins snippets, and their imports into one of each module. */
function merge(snippets: readonly Snippet[]): Pick<SnippetProgram, 'code' | 'origins'> {
  const imports = new Map<string, Imported>();
  const lines: string[] = [];
  const origins: (number | undefined)[] = [];
  for (const { code, line } of snippets) {
    for (const [i, text] of takeImports(code, imports).split('\n').entries()) {
      lines.push(text);
      origins.push(line + i);
    }
  }
  const head = [...imports].flatMap(([module, imported]) => printImport(module, imported));
  return { code: [...head, ...lines, 'export {};'].join('\n'), origins: [...head.map(() => undefined), ...origins] };
}

/** The code with blanks where its imports stood. */
function takeImports(code: string, imports: Map<string, Imported>): string {
  let rest = code;
  const source = ts.createSourceFile('snippet.ts', code, ts.ScriptTarget.Latest);
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const { text: module } = statement.moduleSpecifier;
    const imported = imports.get(module) ?? { names: new Map(), whole: new Set() };
    imports.set(module, imported);
    note(statement.importClause, imported);
    const blank = code.slice(statement.getStart(source), statement.end).replace(/[^\n]/g, ' ');
    rest = rest.slice(0, statement.end - blank.length) + blank + rest.slice(statement.end);
  }
  return rest;
}

function note(clause: ts.ImportClause | undefined, { names, whole }: Imported): void {
  const bindings = clause?.namedBindings;
  if (clause?.name !== undefined) whole.add(clause.name.text);
  if (bindings === undefined) return;
  if (ts.isNamespaceImport(bindings)) {
    whole.add(`* as ${bindings.name.text}`);
    return;
  }
  for (const { name, propertyName, isTypeOnly } of bindings.elements) {
    const text = propertyName === undefined ? name.text : `${propertyName.text} as ${name.text}`;
    const isType = isTypeOnly || clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    names.set(text, { isType: isType && (names.get(text)?.isType ?? true) });
  }
}

function printImport(module: string, { names, whole }: Imported): string[] {
  const named = [...names].map(([name, { isType }]) => (isType ? `type ${name}` : name)).join(', ');
  return [
    ...[...whole].map((binding) => `import ${binding} from '${module}';`),
    ...(named === '' ? [] : [`import { ${named} } from '${module}';`]),
    ...(named === '' && whole.size === 0 ? [`import '${module}';`] : []),
  ];
}
