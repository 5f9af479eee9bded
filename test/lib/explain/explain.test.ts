import os from 'node:os';
import * as prettier from 'prettier';
import ts from 'typescript';
import { describe, expect, it, test } from 'vitest';
import { EXIT, MtpError } from '../../../src/lib/errors.ts';
import { errorsPage, explain, TROUBLESHOOTING } from '../../../src/lib/explain/explain.ts';
import { PAGES } from '../../../src/lib/explain/pages.ts';
import { renderFailure } from '../../../src/lib/ui/failure.ts';
import { files, manifest, read } from '../../repository/tree.ts';

const CODE = /^[A-Z]+(_[A-Z]+)+$/;

/**
 * The codes of a source: what an MtpError is made with, texts that look like one as the first of several arguments or as a
 * `code`, and families such as `FILE_*` from a template.
 */
function codesIn(name: string, text: string): string[] {
  const found: string[] = [];
  if (!/MtpError|code: '/.test(text)) return found;
  const visit = (node: ts.Node): void => {
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.arguments !== undefined) {
      const [first, second] = node.arguments;
      const isError = node.expression.getText() === 'MtpError';
      if (
        first !== undefined &&
        ts.isStringLiteral(first) &&
        (isError || (second !== undefined && CODE.test(first.text)))
      )
        found.push(first.text);
      if (isError && first !== undefined && ts.isTemplateExpression(first)) found.push(`${first.head.text}*`);
    }
    const isCode = ts.isPropertyAssignment(node) && node.name.getText() === 'code';
    if (isCode && ts.isStringLiteral(node.initializer) && CODE.test(node.initializer.text))
      found.push(node.initializer.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  return found;
}

const inSource = new Set(files('src/**/*.ts').flatMap((file) => codesIn(file, read(file))));

describe('the pages of errors', () => {
  it('are there for every code in the sources, and for no other', () => {
    expect(inSource.size).toBeGreaterThan(90);
    // Codes of errno come from Node, and BUG where there is none.
    const ofSystem = new Set(Object.keys(os.constants.errno));
    const wanted = new Set(
      [...inSource, 'BUG', 'E*'].filter((code) => !ofSystem.has(code.replace(/^(FILE|LISTEN)_/, ''))),
    );
    const pages = Object.keys(PAGES);
    expect({
      withoutPage: [...wanted].filter((code) => !pages.includes(code)),
      withoutCode: pages.filter((code) => !wanted.has(code)),
    }).toEqual({ withoutPage: [], withoutCode: [] });
  });

  it('are found where a code is made in whatever way', () => {
    const source =
      "new MtpError('A', 'b'); refuse('B_C', why); const d = { code: 'D_E' }; new MtpError(`F_${g}`, 'h');";
    expect(codesIn('x.ts', source)).toEqual(['A', 'B_C', 'D_E', 'F_*']);
  });

  it('name only commands that there are', () => {
    const { commands } = manifest();
    const texts = [...Object.values(PAGES).map(({ todo }) => todo), ...TROUBLESHOOTING.map(({ look }) => `"${look}"`)];
    const named = texts.flatMap((text) =>
      [...text.matchAll(/"mtp ([^"]+)"/g)].map(([, words = '']) => words.split(' ')),
    );
    expect(named.length).toBeGreaterThan(50);
    const unknown = named.filter((words) => ![1, 2, 3].some((count) => words.slice(0, count).join(':') in commands));
    expect(unknown).toEqual([]);
  });

  // To bring it up to date: npx vitest run test/lib/explain -u
  it('are docs/errors.md', async () => {
    const formatted = await prettier.format(errorsPage(), { parser: 'markdown', printWidth: 120 });
    await expect(formatted).toMatchFileSnapshot('../../../docs/errors.md');
  });
});

describe('explain', () => {
  test.each([
    ['not_started', 'NOT_STARTED'],
    ['FILE_EXISTS', 'FILE_EXISTS'],
    ['FILE_EACCES', 'FILE_*'],
    ['LISTEN_EADDRINUSE', 'LISTEN_*'],
    ['EMFILE', 'E*'],
    ['ENGINE', 'ENGINE'],
  ])('%s is on the page of %s', (asked, page) => {
    expect(explain(asked)).toEqual({ code: asked.toUpperCase(), ...PAGES[page] });
  });

  test.each([
    ['NOT_STARTD', 'mtp explain NOT_STARTED'],
    ['E_X', 'mtp explain'],
    ['', 'mtp explain'],
  ])('there is no %j', (asked, hint) => {
    expect(() => explain(asked)).toThrow(expect.objectContaining({ code: 'CODE_UNKNOWN', exit: EXIT.usage }) as Error);
    expect(() => explain(asked)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(hint) as string }) as Error,
    );
  });
});

describe('an error without a hint', () => {
  it('says where there is more, unless the command line was wrong', () => {
    expect(renderFailure(new MtpError('REVISION', 'x'))).toContain('More on this: mtp explain REVISION');
    expect(renderFailure(new MtpError('USAGE', 'x', { exit: EXIT.usage }))).not.toContain('explain');
    expect(renderFailure(new MtpError('REVISION', 'x', { hint: 'Do that.' }))).not.toContain('explain');
  });
});
