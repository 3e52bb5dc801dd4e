import { PerigeeError } from '../../../core/errors.ts';
import type { JsonValue } from '../../../core/json.ts';
import { defineFunction } from '../define-function.ts';
import type { Argument, FunctionEntry } from '../function-entry.ts';
import { optional, required } from '../parameter.ts';
import type { CompiledPattern } from './compiled-pattern.ts';
import { lookupPattern } from './pattern-cache.ts';
import { PatternFault } from './pattern-fault.ts';

/** The most matches that REGEXEXTRACTALL gives. */
export const MAX_MATCHES = 100_000;

const EMPTY_LOOP = 'a loop that may take nothing, where the text of a match is wanted';

function failure(name: string, fault: PatternFault): PerigeeError {
  const code = fault.kind === 'limit' ? 'QUERY_LIMIT' : 'QUERY_NOT_SUPPORTED';
  const message = `Cannot run the query: ${name} met ${fault.feature}. Write the pattern without it, or test the texts after the query.`;
  return new PerigeeError(code, message, { details: { name, feature: fault.feature } });
}

/** What a search gives, undefined for what is no pattern. */
function searched<T>(name: string, pattern: string, modifiers: string, search: (compiled: CompiledPattern) => T): T | undefined {
  try {
    const found = lookupPattern(pattern, modifiers);
    if (found instanceof PatternFault) {
      throw found;
    }
    return search(found);
  } catch (fault) {
    if (!(fault instanceof PatternFault)) {
      throw fault;
    }
    if (fault.kind === 'invalid') {
      return undefined;
    }
    throw failure(name, fault);
  }
}

/** Refuses a pattern that stands in the text of the query. `extracts` says that the text of matches is wanted. */
function refusal(extracts: boolean): (constants: readonly Argument[]) => string | undefined {
  return ([, pattern, modifiers]) => {
    if (typeof pattern !== 'string') {
      return undefined;
    }
    const found = lookupPattern(pattern, typeof modifiers === 'string' ? modifiers : '');
    if (found instanceof PatternFault) {
      return found.kind === 'unsupported' ? found.feature : undefined;
    }
    return extracts && found.hasEmptyLoop ? EMPTY_LOOP : undefined;
  };
}

function match(text: string, pattern: string, modifiers: string = ''): Argument {
  return searched('REGEXMATCH', pattern, modifiers, (compiled) => compiled.test(text));
}

function requireSameGroups(compiled: CompiledPattern): void {
  if (compiled.hasEmptyLoop) {
    throw new PatternFault('unsupported', EMPTY_LOOP);
  }
}

function extract(text: string, pattern: string, modifiers: string = '', group: number = 0): Argument {
  return searched('REGEXEXTRACT', pattern, modifiers, (compiled) => {
    requireSameGroups(compiled);
    for (const found of compiled.matches(text)) {
      return found.group(group);
    }
    return undefined;
  });
}

function extractAll(text: string, pattern: string, modifiers: string = '', group: number = 0): Argument {
  return searched('REGEXEXTRACTALL', pattern, modifiers, (compiled) => {
    requireSameGroups(compiled);
    if (group < 0 || group > compiled.groupCount) {
      return undefined;
    }
    const parts: JsonValue[] = [];
    for (const found of compiled.matches(text)) {
      if (parts.length === MAX_MATCHES) {
        throw new PatternFault('limit', `more than ${MAX_MATCHES} matches`);
      }
      const part = found.group(group);
      if (part !== undefined) {
        parts.push(part);
      }
    }
    return parts;
  });
}

/**
 * Regular expressions of PCRE, run in linear time. What has no equal there (look-around, back-references, …) is refused by name; a text that
 * is no pattern, or an unknown modifier, makes the call undefined.
 *
 * Sources: learn.microsoft.com/cosmos-db/query/regexmatch, regexextract, regexextractall; pcre2pattern(3).
 */
export const regexFunctions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'REGEXEXTRACT',
    family: 'string',
    parameters: [required('text', 'string'), required('pattern', 'string'), optional('modifiers', 'string'), optional('group', 'integer')],
    result: 'string',
    summary: 'The first part that matches, or a group of it by its number; undefined where nothing does.',
    examples: [
      ["REGEXEXTRACT('orbit 12 of 40', '[0-9]+')", '12'],
      ["REGEXEXTRACT('io-1610, titan-1655', '([a-z]+)-([0-9]+)', '', 2)", '1610'],
      ["REGEXEXTRACT('orbit', '[0-9]+')", undefined],
    ],
    refuses: refusal(true),
    mayFail: true,
    compute: extract,
  }),
  defineFunction({
    name: 'REGEXEXTRACTALL',
    family: 'string',
    parameters: [required('text', 'string'), required('pattern', 'string'), optional('modifiers', 'string'), optional('group', 'integer')],
    result: 'array',
    summary: 'All parts that match, or a group of each by its number; `[]` where nothing does.',
    examples: [
      ["REGEXEXTRACTALL('orbit 12 of 40', '[0-9]+')", ['12', '40']],
      ["REGEXEXTRACTALL('io-1610, TITAN-1655', '([a-z]+)-[0-9]+', 'i', 1)", ['io', 'TITAN']],
      ["REGEXEXTRACTALL('orbit', '[0-9]+')", []],
    ],
    refuses: refusal(true),
    mayFail: true,
    compute: extractAll,
  }),
  defineFunction({
    name: 'REGEXMATCH',
    family: 'string',
    parameters: [required('text', 'string'), required('pattern', 'string'), optional('modifiers', 'string')],
    result: 'boolean',
    summary:
      'Whether a part of the text matches; modifiers are `m` (lines), `s` (`.` takes newlines), `i` (any case), `x` (blanks in the pattern mean nothing).',
    examples: [
      ["REGEXMATCH(c.seen, '^16[0-9]{2}-')", true],
      ["REGEXMATCH(c.planet, 'J U P', 'ix')", true],
      ["REGEXMATCH(c.planet, '(')", undefined],
      ["REGEXMATCH(c.planet, 'J', 'q')", undefined],
    ],
    indexUse: 'scan',
    sqlite: 'superset',
    refuses: refusal(false),
    mayFail: true,
    compute: match,
  }),
];
