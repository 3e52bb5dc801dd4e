import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { reportFailure } from '../report-failure.ts';
import type { Output } from './output.ts';
import { PromptHistory } from './prompt-history.ts';
import type { PromptSession } from './prompt-session.ts';
import { caretLines } from './query-failure.ts';
import { splitStatements } from './statements.ts';

/** Characters of an unfinished query; longer ones are run, which refuses them by name. */
const MAX_BUFFER = 1_000_000;
/** Lines that may wait while a query runs. */
const MAX_WAITING = 1000;

/** Reads queries and commands until the input ends, and runs them one after the other. */
class QueryPrompt {
  readonly #session: PromptSession;
  readonly #output: Output;
  readonly #lines: Interface;
  readonly #isInteractive: boolean;
  readonly #waiting: string[] = [];
  #buffer = '';
  #running: AbortController | undefined;
  #hasEnded = false;
  #exitCode = 0;

  constructor(session: PromptSession, output: Output) {
    this.#session = session;
    this.#output = output;
    this.#isInteractive = process.stdin.isTTY && output.isTerminal;
    const history = new PromptHistory();
    this.#lines = createInterface({
      input: process.stdin,
      ...(this.#isInteractive
        ? { output: process.stdout, terminal: true, history: history.load(), historySize: 1000 }
        : { terminal: false }),
    });
    this.#lines.on('SIGINT', () => this.#interrupt());
    this.#lines.on('line', (line) => {
      if (this.#isInteractive) {
        history.add(line);
      }
      this.#waiting.push(line);
      if (this.#waiting.length >= MAX_WAITING) {
        this.#lines.pause();
      }
      this.#lines.emit('next');
    });
    this.#lines.on('close', () => {
      this.#hasEnded = true;
      // What a script asked for before its end is answered; a person who ends the input wants no more.
      if (this.#isInteractive || output.gone.aborted) {
        this.#running?.abort(new DOMException('The input ended.', 'AbortError'));
      }
      this.#lines.emit('next');
    });
    output.gone.addEventListener('abort', () => this.#lines.close());
  }

  /** Runs to the end of the input and gives the exit code. */
  async run(): Promise<number> {
    this.#prompt();
    for (;;) {
      const line = this.#waiting.shift();
      if (line !== undefined) {
        if ((await this.#take(line)) === 'quit') {
          break;
        }
        this.#prompt();
      } else if (this.#hasEnded) {
        break;
      } else {
        this.#lines.resume();
        await once(this.#lines, 'next');
      }
    }
    if (this.#hasEnded && !this.#isInteractive && this.#buffer.trim() !== '' && this.#exitCode === 0) {
      const { statements } = splitStatements(`${this.#buffer}\n;`);
      for (const statement of statements) {
        await this.#attempt((signal) => this.#session.run(statement, signal));
      }
    }
    if (this.#isInteractive && this.#hasEnded) {
      await this.#output.write('\n');
    }
    this.#lines.close();
    return this.#exitCode;
  }

  #prompt(): void {
    if (this.#isInteractive && !this.#hasEnded) {
      const { name } = this.#session;
      this.#lines.setPrompt(this.#buffer === '' ? `${name}> ` : `${'.'.repeat(Math.min(name.length, 20))}> `);
      this.#lines.prompt(true);
    }
  }

  /** Ctrl-C: ends what runs, or gives up what was typed. */
  #interrupt(): void {
    if (this.#running !== undefined) {
      this.#running.abort(new DOMException('Stopped by Ctrl-C.', 'AbortError'));
      return;
    }
    const isEmpty = this.#buffer === '' && this.#lines.line === '';
    this.#buffer = '';
    process.stdout.write(isEmpty ? '\n(Ctrl-D or .quit ends.)\n' : '^C\n');
    // Deletes what stands on the line on both sides of the cursor.
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
    this.#prompt();
  }

  async #take(line: string): Promise<'quit' | undefined> {
    if (this.#buffer === '' && line.trim().startsWith('.')) {
      return this.#attempt((signal) => this.#session.command(line, signal));
    }
    this.#buffer += `${line}\n`;
    if (line.trim() !== '' && !line.includes(';') && this.#buffer.length < MAX_BUFFER) {
      return undefined;
    }
    const { statements, rest } = splitStatements(line.trim() === '' ? `${this.#buffer};` : this.#buffer);
    this.#buffer = rest.length < MAX_BUFFER ? rest : '';
    for (const statement of this.#buffer === rest ? statements : [...statements, rest]) {
      if ((await this.#attempt((signal) => this.#session.run(statement, signal))) === 'quit') {
        return 'quit';
      }
    }
    return undefined;
  }

  /** Tells a failure; the prompt goes on, a script ends with it. */
  async #attempt(work: (signal: AbortSignal) => Promise<'quit' | undefined | void>): Promise<'quit' | undefined> {
    const running = new AbortController();
    this.#running = running;
    try {
      return (await work(running.signal)) ?? undefined;
    } catch (error) {
      if (running.signal.aborted) {
        console.error(this.#hasEnded ? '' : 'Stopped.');
        return this.#hasEnded ? 'quit' : undefined;
      }
      const exitCode = reportFailure(error, caretLines(error, this.#session.lastQuery));
      if (!this.#isInteractive) {
        this.#exitCode = exitCode;
        return 'quit';
      }
      return undefined;
    } finally {
      this.#running = undefined;
    }
  }
}

/** Reads queries from standard input, with a prompt where a person types them, and gives the exit code. */
export async function queryPrompt(session: PromptSession, output: Output): Promise<number> {
  return new QueryPrompt(session, output).run();
}
