import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Compiler, Settings } from './compilers.ts';
import { mode, report } from './report.ts';
import { findings, output, Workshop } from './workshop.ts';

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

const compiledReport = async (compiler: Compiler, settings: Settings) =>
  `${await workshop.compile(compiler, settings)}/report.mjs`;

const byFile = (['tsc', 'esbuild', 'swc'] as const).flatMap((compiler) =>
  allSettings.map((settings): [Compiler, Settings] => [compiler, settings]),
);

test.concurrent.each(byFile)('%s, %o: the same models, the same mistakes', async (compiler, settings) => {
  const folder = await workshop.compile(compiler, settings, `${settings.mode}/misplaced`);
  const script = `
    import { Misplaced } from ${JSON.stringify(`${folder}/${settings.mode}/misplaced.mjs`)};
    import { describe, mode, report } from ${JSON.stringify(`${folder}/report.mjs`)};
    console.log(JSON.stringify({ mode: mode(), report: report(), misplaced: describe(Misplaced).slice(1).sort() }));`;
  const found = JSON.parse(await output(script));
  expect(found).toEqual({ mode: settings.mode, report: report(), misplaced: MISPLACED[settings.mode] });
});

test.concurrent.each(['tsc', 'swc'] as const)('%s, legacy with emitted types: the same models', async (compiler) => {
  const settings: Settings = { mode: 'legacy', useDefineForClassFields: true, emitDecoratorMetadata: true };
  const found = await findings(await compiledReport(compiler, settings));
  expect(found).toEqual({ mode: 'legacy', report: report() });
});

test.concurrent.each(allSettings)('tsx, %o: the same models', async (settings) => {
  const folder = await workshop.sources(settings);
  const found = await findings(`${folder}/report.ts`, ['--import', 'tsx'], {
    TSX_TSCONFIG_PATH: `${folder}/tsconfig.json`,
  });
  expect(found).toEqual({ mode: settings.mode, report: report() });
});

test.concurrent.each(allSettings)('one minified bundle, %o: the same models', async (settings) => {
  expect(await findings(await workshop.bundle(settings))).toEqual({ mode: settings.mode, report: report() });
});

test.concurrent.each(['tsc', 'esbuild', 'swc'] as const)(
  '%s, standard: takes a Symbol.metadata that was there before',
  async (compiler) => {
    const flags = ['--import', "data:text/javascript,Symbol.metadata = Symbol('somebody else')"];
    const found = await findings(await compiledReport(compiler, standard), flags);
    expect(found).toEqual({ mode: 'standard', report: report() });
  },
);

const MISPLACED = {
  legacy: [
    '  - Misplaced.computed is a getter, and @Field goes on a plain field.',
    '  - Misplaced.embedded is a method, and @Embedding goes on a plain field.',
    '  - Misplaced.method is a method, and @Field goes on a plain field.',
    '  - Misplaced.shared is static, and @Field goes on a plain field.',
    '  - Misplaced.written is a setter, and @Index goes on a plain field.',
  ],
  standard: [
    '  - Misplaced.#secret is private, and @Field goes on a plain field.',
    '  - Misplaced.computed is a getter, and @Field goes on a plain field.',
    '  - Misplaced.embedded is a method, and @Embedding goes on a plain field.',
    '  - Misplaced.kept is an accessor, and @Field goes on a plain field.',
    '  - Misplaced.method is a method, and @Field goes on a plain field.',
    '  - Misplaced.shared is static, and @Field goes on a plain field.',
    '  - Misplaced.written is a setter, and @Index goes on a plain field.',
  ],
};
