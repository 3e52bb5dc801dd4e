import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { valueOf } from '../evaluator/run-query.ts';
import { callFunction, testCases, testUndefined } from './function-cases.ts';

describe('date and time functions', () => {
  testUndefined(
    ['DAY', 'MONTH', 'YEAR', 'DATETIMETOTICKS', 'DATETIMETOTIMESTAMP'],
    [[undefined], [null], [2020], ['yesterday'], ['2021-13-01']],
  );
  testUndefined(
    ['DATETIMEADD', 'DATETIMEDIFF'],
    [
      ['fortnight', 1, '2021-01-01'],
      [null, 1, '2021-01-01'],
      ['day', 1.5, '2021-01-01'],
      ['day', null, '2021-01-01'],
      ['day', '2021-01-01', 'never'],
      ['day', undefined, '2021-01-01'],
    ],
  );
  testUndefined(['TICKSTODATETIME', 'TIMESTAMPTODATETIME'], [[undefined], [null], ['0'], [0.5], [1e300], [Number.NaN]]);

  testCases([
    ['DATETIMEADD', ['month', 1, '2024-01-31T10:00:00Z'], '2024-02-29T10:00:00.0000000Z'],
    ['DATETIMEADD', ['YY', -1, '2024-02-29'], '2023-02-28T00:00:00.0000000Z'],
    ['DATETIMEADD', ['dd', -1, '2024-03-01'], '2024-02-29T00:00:00.0000000Z'],
    ['DATETIMEADD', ['ms', 1500, '1969-12-31T23:59:59Z'], '1970-01-01T00:00:00.5000000Z'],
    ['DATETIMEADD', ['ns', 250, '2024-03-01'], '2024-03-01T00:00:00.0000002Z'],
    ['DATETIMEADD', ['year', 8000, '2024-03-01'], undefined],
    ['DATETIMEBIN', ['2024-03-05T14:35:50Z', 'mi', 15], '2024-03-05T14:30:00.0000000Z'],
    ['DATETIMEBIN', ['2024-03-05T14:35:50Z', 'month', 3], '2024-01-01T00:00:00.0000000Z'],
    ['DATETIMEBIN', ['2024-03-05T14:35:50Z', 'yyyy', 1, '2000-06-15'], '2023-06-15T00:00:00.0000000Z'],
    ['DATETIMEBIN', ['1969-12-31T10:00:00Z', 'dd', 7], '1969-12-25T00:00:00.0000000Z'],
    ['DATETIMEBIN', ['2024-03-05', 'dd', 0], undefined],
    ['DATETIMEBIN', ['2024-03-05', 'dd', 1.5], undefined],
    ['DATETIMEBIN', ['2024-03-05', 'dd', 1, '1600-12-31'], undefined],
    ['DATETIMEDIFF', ['year', '2023-12-31', '2024-01-01'], 1],
    ['DATETIMEDIFF', ['month', '2024-03-01', '2024-01-31'], -2],
    ['DATETIMEDIFF', ['hh', '2024-01-01T10:59:59Z', '2024-01-01T11:00:00Z'], 1],
    ['DATETIMEDIFF', ['day', '1969-12-31T23:00:00Z', '1970-01-01T01:00:00Z'], 1],
    ['DATETIMEDIFF', ['ns', '2024-01-01', '2024-01-01T00:00:00.0000001Z'], 100],
    ['DATETIMEFORMAT', ['2024-03-05T04:07:09.1200000Z', 'dd/MM/yy H:m:s.fff|FFF'], '05/03/24 4:7:9.120|12'],
    ['DATETIMEFORMAT', ['2024-03-05', '\\d\\a\\y d'], 'day 5'],
    ['DATETIMEFORMAT', ['2024-03-05', 'yyyyy'], undefined],
    ['DATETIMEFORMAT', ['2024-03-05', null], undefined],
    ['DATETIMEFROMPARTS', [2024, 3, 5], '2024-03-05T00:00:00.0000000Z'],
    ['DATETIMEFROMPARTS', [2024, 3, 5, 1, 2, 3, 4], '2024-03-05T01:02:03.0000004Z'],
    ['DATETIMEFROMPARTS', [2024, 2, 30], undefined],
    ['DATETIMEFROMPARTS', [2024, 2, 3, 24], undefined],
    ['DATETIMEFROMPARTS', [2024, 2, 3.5], undefined],
    ['DATETIMEFROMPARTS', [2024, 2, '3'], undefined],
    ['DATETIMEPART', ['mcs', '2024-03-05T01:02:03.1234567Z'], 123456],
    ['DATETIMEPART', ['hh', '2024-03-05 21:02:03'], 21],
    ['DATETIMEPART', ['week', '2024-03-05'], undefined],
    ['DATETIMETOTICKS', ['1970-01-02'], 864000000000],
    ['DATETIMETOTIMESTAMP', ['1970-01-01T00:00:01.5Z'], 1500],
    ['DATETIMETOTIMESTAMP', ['0001-01-01'], -62135596800000],
    ['DAY', ['2024-03-05'], 5],
    ['MONTH', ['2024-03-05'], 3],
    ['YEAR', ['0999-03-05'], 999],
    ['TICKSTODATETIME', [17], '1970-01-01T00:00:00.0000017Z'],
    ['TIMESTAMPTODATETIME', [-1], '1969-12-31T23:59:59.9990000Z'],
    ['TIMESTAMPTODATETIME', [253402300800000], undefined],
  ]);

  test('agree with the calendar of the host over the whole range', () => {
    for (let ms = -62135596800000; ms < 253402300800000; ms += 9_876_543_211_000) {
      const text = new Date(ms).toISOString();
      expect(callFunction('TIMESTAMPTODATETIME', [ms])).toBe(text.replace('Z', '0000Z'));
      expect(callFunction('DATETIMETOTIMESTAMP', [text])).toBe(ms);
    }
  });

  test('the static ones keep the start of the query, the others read the clock', () => {
    const context = { nowMs: 1000, currentMs: () => 2500, random: () => 0 };
    expect(callFunction('GETCURRENTTIMESTAMPSTATIC', [], context)).toBe(1000);
    expect(callFunction('GETCURRENTTIMESTAMP', [], context)).toBe(2500);
    expect(callFunction('GETCURRENTTICKSSTATIC', [], context)).toBe(10_000_000);
    expect(callFunction('GETCURRENTTICKS', [], context)).toBe(25_000_000);
    expect(callFunction('GETCURRENTDATETIMESTATIC', [], context)).toBe('1970-01-01T00:00:01.0000000Z');
    expect(callFunction('GETCURRENTDATETIME', [], context)).toBe('1970-01-01T00:00:02.5000000Z');
    expect(callFunction('NOW', [], context)).toBe('1970-01-01T00:00:02.5000000Z');
    expect(callFunction('NOW', ['hour', 1], context)).toBe('1970-01-01T01:00:02.5000000Z');
    expect(callFunction('AGO', ['second', 2], context)).toBe('1970-01-01T00:00:00.5000000Z');
    expect(callFunction('AGO', ['second', 1.5], context)).toBeUndefined();
  });
});

const PARTS = ['year', 'month', 'day', 'hour', 'minute', 'second', 'millisecond', 'microsecond'] as const;

/** Moments of all years to 100 ns, as text. */
const moments = fc
  .tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.integer({ min: 0, max: 9_999_999 }))
  .map(([seconds, fraction]) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(7, '0')}Z`);

describe('dates to 100 ns', () => {
  test('go to ticks and back unchanged', () => {
    fc.assert(
      fc.property(moments, (moment) => {
        expect(valueOf(`TICKSTODATETIME(DATETIMETOTICKS('${moment}'))`)).toBe(moment);
        expect(callFunction('DATETIMEADD', ['ns', 0, moment])).toBe(moment);
        const parts = ['year', 'month', 'day', 'hour', 'minute', 'second'].map((part) => callFunction('DATETIMEPART', [part, moment]));
        const fraction = (callFunction('DATETIMEPART', ['ns', moment]) as number) / 100;
        expect(callFunction('DATETIMEFROMPARTS', [...parts, fraction])).toBe(moment);
      }),
    );
  });

  test('a bin holds its moment: it begins at or before it, and the next one after it', () => {
    fc.assert(
      fc.property(
        moments,
        fc.constantFrom(...PARTS),
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom('1970-01-01', '2000-01-31', '1601-01-01'),
        (moment, part, size, origin) => {
          const start = callFunction('DATETIMEBIN', [moment, part, size, origin]);
          if (typeof start !== 'string') {
            expect(moment < '0402').toBe(true);
            return;
          }
          expect(start <= moment, `${start} ${moment}`).toBe(true);
          const months = part === 'year' || part === 'month';
          const next = months ? undefined : callFunction('DATETIMEADD', [part, size, start]);
          expect(next === undefined || (next as string) > moment, `${next as string} ${moment}`).toBe(true);
          expect(callFunction('DATETIMEBIN', [start, part, size, origin])).toBe(start);
        },
      ),
    );
  });

  test('a difference counts boundaries: what is added comes back, and the other way round is the negative', () => {
    fc.assert(
      fc.property(moments, moments, fc.constantFrom(...PARTS), fc.integer({ min: -5000, max: 5000 }), (from, to, part, amount) => {
        const there = callFunction('DATETIMEDIFF', [part, from, to]) as number;
        expect(callFunction('DATETIMEDIFF', [part, to, from])).toBe(there === 0 ? 0 : -there);
        const moved = callFunction('DATETIMEADD', [part, amount, from]);
        if (moved !== undefined) {
          expect(callFunction('DATETIMEDIFF', [part, from, moved])).toBe(amount);
        }
      }),
    );
  });

  testCases([
    ['DATETIMETOTICKS', ['0001-01-01'], -621_355_968_000_000_000],
    ['TICKSTODATETIME', [-621_355_968_000_000_000], '0001-01-01T00:00:00.0000000Z'],
    ['TICKSTODATETIME', [-621_355_968_000_001_000], undefined],
    ['TIMESTAMPTODATETIME', [-62135596800001], undefined],
    ['DATETIMEADD', ['ns', 100, '9999-12-31T23:59:59.9999999Z'], undefined],
    ['DATETIMEADD', ['ns', -150, '1970-01-01'], '1969-12-31T23:59:59.9999999Z'],
    ['DATETIMEADD', ['day', 1e300, '1970-01-01'], undefined],
    ['DATETIMEADD', ['year', 1e300, '1970-01-01'], undefined],
    ['DATETIMEADD', ['yyyy', 1, '2024-02-29'], '2025-02-28T00:00:00.0000000Z'],
    ['DATETIMEDIFF', ['mcs', '1969-12-31T23:59:59.9999999Z', '1970-01-01'], 1],
    ['DATETIMEDIFF', ['ms', '2024-01-01T00:00:00.0009999Z', '2024-01-01T00:00:00.0010000Z'], 1],
    ['DATETIMEBIN', ['2024-02-29T10:00:00Z', 'month', 1, '2000-01-31'], '2024-02-29T00:00:00.0000000Z'],
    ['DATETIMEBIN', ['2024-02-28', 'month', 1, '2000-01-31'], '2024-01-31T00:00:00.0000000Z'],
    ['DATETIMEBIN', ['2024-03-05T01:02:03.1234567Z', 'ns', 250], '2024-03-05T01:02:03.1234565Z'],
    ['DATETIMEFROMPARTS', [2024, 3, 5, 23, 59, 59, 9_999_999], '2024-03-05T23:59:59.9999999Z'],
    ['DATETIMEFROMPARTS', [2024, 3, 5, 23, 59, 59, 10_000_000], undefined],
    ['DATETIMEFROMPARTS', [10_000, 1, 1], undefined],
    ['DATETIMEFROMPARTS', [0, 1, 1], undefined],
  ]);
});
