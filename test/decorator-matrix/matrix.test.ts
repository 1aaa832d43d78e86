import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Compiler, Settings } from './compilers.ts';
import { mode, report } from './report.ts';
import { findings, output, REPORT_SOURCE, Workshop } from './workshop.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await Workshop.open();
});
afterAll(() => workshop[Symbol.asyncDispose]());

const allSettings: readonly Settings[] = [
  { mode: 'legacy', useDefineForClassFields: true },
  { mode: 'legacy', useDefineForClassFields: false },
  { mode: 'standard', useDefineForClassFields: true },
  { mode: 'standard', useDefineForClassFields: false },
];
const standard: Settings = { mode: 'standard', useDefineForClassFields: true };

test('vitest, legacy: the models are as declared', async () => {
  expect(mode()).toBe('legacy');
  await expect(JSON.stringify(report(), undefined, 2)).toMatchFileSnapshot('./report.snap');
});

const byFile = (['tsc', 'esbuild', 'swc'] as const).flatMap((compiler) =>
  allSettings.map((settings): [Compiler, Settings] => [compiler, settings]),
);

test.concurrent.each(byFile)('%s, %o: the same models', async (compiler, settings) => {
  const found = await findings(await workshop.compile(compiler, settings));
  expect(found).toEqual({ mode: settings.mode, report: report() });
});

test.concurrent.each(['tsc', 'swc'] as const)('%s, legacy with emitted types: the same models', async (compiler) => {
  const settings: Settings = { mode: 'legacy', useDefineForClassFields: true, emitDecoratorMetadata: true };
  const found = await findings(await workshop.compile(compiler, settings));
  expect(found).toEqual({ mode: 'legacy', report: report() });
});

test.concurrent.each(allSettings)('tsx, %o: the same models', async (settings) => {
  const env = { TSX_TSCONFIG_PATH: await workshop.tsconfig(settings) };
  const found = await findings(REPORT_SOURCE, ['--import', 'tsx'], env);
  expect(found).toEqual({ mode: settings.mode, report: report() });
});

test.concurrent.each(allSettings)('one minified bundle, %o: the same models', async (settings) => {
  expect(await findings(await workshop.bundle(settings))).toEqual({ mode: settings.mode, report: report() });
});

test.concurrent.each(['tsc', 'esbuild', 'swc'] as const)(
  '%s, standard: takes a Symbol.metadata that was there before',
  async (compiler) => {
    const flags = ['--import', "data:text/javascript,Symbol.metadata = Symbol('somebody else')"];
    const found = await findings(await workshop.compile(compiler, standard), flags);
    expect(found).toEqual({ mode: 'standard', report: report() });
  },
);

test.concurrent.for(['tsc', 'esbuild', 'swc'] as const)(
  '%s, standard: says where decorators cannot stand',
  async (compiler, { expect }) => {
    const file = await workshop.compile(compiler, standard, [
      'entities/stored',
      'entities/shop',
      'report',
      'standard/misplaced',
    ]);
    const script = `
      import { MisplacedStandard } from ${JSON.stringify(file)};
      import { describe } from ${JSON.stringify(file.replace('standard/misplaced', 'report'))};
      console.log(describe(MisplacedStandard).join('\\n'));`;
    const said = (await output(script)).trim().split('\n').sort().join('\n');
    expect(said).toMatchInlineSnapshot(`
      "  - MisplacedStandard.#secret is private, and @Field goes on a plain field.
        - MisplacedStandard.kept is an accessor, and @Field goes on a plain field.
        - MisplacedStandard.method is a method, and @Field goes on a plain field.
        - MisplacedStandard.shared is static, and @Field goes on a plain field.
      NorimakiError: The entity misplaced (class MisplacedStandard) has 4 mistakes:"
    `);
  },
);
