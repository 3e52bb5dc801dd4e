import { defineFunction } from '../define-function.ts';
import type { FunctionEntry } from '../function-entry.ts';
import { required, rest } from '../parameter.ts';

/** A term is a text, or an object for a fuzzy one. */
const TERM = required('term', 'any', 'decides');
const TEXT_AND_TERM = [required('text', 'string'), TERM] as const;
const TEXT_AND_TERMS = [...TEXT_AND_TERM, rest('terms', 'any', 'decides')] as const;

/** Search for words within texts. */
export const fullTextFunctions: readonly FunctionEntry[] = [
  defineFunction({
    name: 'FULLTEXTCONTAINS',
    aliases: ['FULLTEXT_CONTAINS'],
    family: 'full-text',
    parameters: TEXT_AND_TERM,
    result: 'boolean',
    summary: 'Whether the text has the word, in any inflected form, or the words of the phrase side by side.',
    examples: [
      ["FULLTEXTCONTAINS(c.note, 'volcano')", true],
      ["FULLTEXTCONTAINS(c.note, 'throws sulfur')", true],
      ["FULLTEXTCONTAINS(c.note, 'sulfur throws')", false],
      ['FULLTEXTCONTAINS(c.note, {"term": "sulphur", "distance": 2})', true],
      ["FULLTEXTCONTAINS(c.radiusKm, 'volcano')", undefined],
    ],
    indexUse: 'seek',
    compiled: true,
  }),
  defineFunction({
    name: 'FULLTEXTCONTAINSALL',
    aliases: ['FULLTEXT_CONTAINS_ALL'],
    family: 'full-text',
    parameters: TEXT_AND_TERMS,
    result: 'boolean',
    summary: 'Whether the text has every one of the terms, each as FULLTEXTCONTAINS finds it.',
    examples: [
      ["FULLTEXTCONTAINSALL(c.note, 'kilometre', 'sulfur')", true],
      ["FULLTEXTCONTAINSALL(c.note, 'kilometre', 'methane')", false],
    ],
    indexUse: 'seek',
    compiled: true,
  }),
  defineFunction({
    name: 'FULLTEXTCONTAINSANY',
    aliases: ['FULLTEXT_CONTAINS_ANY'],
    family: 'full-text',
    parameters: TEXT_AND_TERMS,
    result: 'boolean',
    summary: 'Whether the text has at least one of the terms, each as FULLTEXTCONTAINS finds it.',
    examples: [
      ["FULLTEXTCONTAINSANY(c.note, 'kilometre', 'methane')", true],
      ["FULLTEXTCONTAINSANY(c.note, 'lakes', 'methane')", false],
    ],
    indexUse: 'seek',
    compiled: true,
  }),
  defineFunction({
    name: 'FULLTEXTSCORE',
    family: 'full-text',
    parameters: TEXT_AND_TERMS,
    result: 'number',
    summary: 'How well the text fits the terms (BM25); only in ORDER BY RANK, alone or within RRF.',
    examples: [["SELECT TOP 1 VALUE c.id FROM c ORDER BY RANK FULLTEXTSCORE(c.note, 'methane')", ['titan']]],
    indexUse: 'seek',
    compiled: true,
  }),
  defineFunction({
    name: 'RRF',
    family: 'full-text',
    parameters: [required('score', 'number'), required('other', 'number'), rest('others', 'any', 'decides')],
    result: 'number',
    summary:
      'Fuses the ranks of several scores (reciprocal rank fusion), the last argument being their weights where it is an array; only in ORDER BY RANK.',
    examples: [
      ["SELECT TOP 1 VALUE c.id FROM c ORDER BY RANK RRF(FULLTEXTSCORE(c.note, 'ice'), FULLTEXTSCORE(c.planet, 'Uranus'))", ['miranda']],
    ],
    indexUse: 'seek',
    compiled: true,
  }),
];

/** What query plans say to each range, under names that no page documents. */
export const planFunctions: readonly FunctionEntry[] = [
  defineFunction({
    name: '_FULLTEXTSCORE',
    family: 'full-text',
    parameters: [
      required('text', 'string'),
      required('terms', 'any'),
      required('documentCount', 'number'),
      required('totalWordCount', 'number'),
      required('hitCounts', 'array'),
    ],
    result: 'number',
    summary: 'FULLTEXTSCORE with the statistics given.',
    examples: [],
    compiled: true,
  }),
  defineFunction({
    name: '_FULLTEXTWORDCOUNT',
    family: 'full-text',
    parameters: [required('text', 'string')],
    result: 'integer',
    summary: 'How many words of a text count.',
    examples: [],
    compiled: true,
  }),
];
