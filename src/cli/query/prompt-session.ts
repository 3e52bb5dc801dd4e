import { PerigeeError } from '../../core/errors.ts';
import type { Backend } from '../../store/backend.ts';
import type { DocumentStore } from '../../store/document-store.ts';
import { safeText } from '../safe-text.ts';
import { explainTo } from './explain-to.ts';
import { findContainer, listContainers, openContainer, type ContainerName, type GivenContainer } from './open-container.ts';
import type { Output } from './output.ts';
import { formatSettings, parseFormat, parseParameter, type NamedValue } from './query-settings.ts';
import { splitStatements } from './statements.ts';
import { runQuery, summaryText, type QuerySettings } from './run-query.ts';

/** What `.help` says. */
const HELP = `Type a query; it ends with ";" or an empty line.
  .explain [query]       how a query runs, what it costs and which index would help; without a query, the last one
  .more                  the next items of the last query
  .containers            every container
  .use [database/]name   query another container
  .format NAME           table, json, ndjson or csv
  .param [name=json]     give the parameter @name a value; without one, list their names
  .help                  this text
  .quit                  end
Ctrl-C gives up the line, or stops the query that runs; Ctrl-D ends.
`;

/** Items after which a terminal waits for `.more`. */
const PAUSE_ITEMS = 100;

/** A query that has more items. */
interface Paused {
  readonly query: string;
  readonly container: ContainerName;
  readonly settings: QuerySettings;
  readonly continuation: string;
}

/** What a prompt session needs. */
export interface PromptSessionOptions {
  readonly backend: Backend;
  readonly label: string;
  readonly output: Output;
  readonly settings: QuerySettings;
  /** Container to begin with, as far as it was named. */
  readonly given: GivenContainer;
  readonly max: number | undefined;
}

/** What the prompt remembers between two inputs, and what each input does. */
export class PromptSession {
  readonly #backend: Backend;
  readonly #label: string;
  readonly #output: Output;
  readonly #given: GivenContainer;
  readonly #max: number | undefined;
  #settings: QuerySettings;
  #container: ContainerName | undefined;
  #store: DocumentStore | undefined;
  #last: string | undefined;
  #paused: Paused | undefined;

  constructor({ backend, label, output, settings, given, max }: PromptSessionOptions) {
    this.#backend = backend;
    this.#label = label;
    this.#output = output;
    this.#settings = settings;
    this.#given = given;
    this.#max = max;
  }

  /** What stands in front of the input. */
  get name(): string {
    const { database, container } = this.#container ?? {};
    return database === undefined ? 'perigee' : safeText(`${database}/${container}`);
  }

  /** Opens the container to begin with, where it is clear which. A backend without one can be looked at all the same. */
  async begin(): Promise<void> {
    if (this.#given.container !== undefined || this.#given.database !== undefined) {
      await this.#use(await findContainer(this.#backend, this.#label, this.#given));
      return;
    }
    const [only, another] = await listContainers(this.#backend);
    if (only !== undefined && another === undefined) {
      await this.#use(only);
    }
  }

  /** Runs a query. @throws what it throws */
  async run(query: string, signal: AbortSignal): Promise<void> {
    this.#last = query;
    await this.#show(query, this.#settings, undefined, signal);
  }

  /** Runs a line that begins with a dot; `'quit'` ends the session. @throws INVALID_OPTION for one that is not known, and what it throws */
  async command(line: string, signal: AbortSignal): Promise<'quit' | undefined> {
    const [, name = '', rest = ''] = /^\.(\S*)\s*(.*)$/su.exec(line.trim()) ?? [];
    switch (name) {
      case 'help':
        await this.#output.write(HELP);
        return undefined;
      case 'quit':
      case 'exit':
        return 'quit';
      case 'containers':
        await this.#listContainers();
        return undefined;
      case 'use':
        await this.#useNamed(rest);
        return undefined;
      case 'format':
        this.#settings = { ...this.#settings, ...formatSettings(parseFormat(rest)) };
        return undefined;
      case 'param':
        await this.#parameter(rest);
        return undefined;
      case 'explain':
        await this.explain(rest, signal);
        return undefined;
      case 'more':
        await this.#more(signal);
        return undefined;
      default:
        throw new PerigeeError('INVALID_OPTION', `Cannot do ".${name}": there is no such command. Type .help to see those that there are.`);
    }
  }

  /** Explains a query, or the last one where it is empty. @throws what the query throws */
  async explain(query: string, signal: AbortSignal): Promise<void> {
    const { statements, rest } = splitStatements(query);
    const text = query === '' ? this.#last : (statements[0] ?? rest);
    if (text === undefined) {
      throw new PerigeeError('INVALID_OPTION', 'Cannot explain: there was no query yet. Write it behind .explain.');
    }
    this.#last = text;
    await explainTo(await this.#opened(), text, this.#settings, signal, this.#output);
  }

  /** The query that a failure is about. */
  get lastQuery(): string {
    return this.#last ?? '';
  }

  async #opened(): Promise<DocumentStore> {
    if (this.#store === undefined) {
      await this.#use(await findContainer(this.#backend, this.#label, this.#given));
    }
    return this.#store as DocumentStore;
  }

  async #use(name: ContainerName): Promise<void> {
    const store = await openContainer(this.#backend, name);
    await this.#store?.close();
    this.#store = store;
    this.#container = name;
    this.#paused = undefined;
  }

  async #useNamed(text: string): Promise<void> {
    const slash = text.indexOf('/');
    const database = slash === -1 ? (this.#container?.database ?? this.#given.database) : text.slice(0, slash);
    const container = text.slice(slash + 1);
    if (container === '') {
      throw new PerigeeError('INVALID_OPTION', 'Cannot change the container: write .use database/container. .containers lists them.');
    }
    await this.#use(await findContainer(this.#backend, this.#label, { database, container }));
  }

  async #listContainers(): Promise<void> {
    const names = await listContainers(this.#backend);
    const lines = names.map(({ database, container }) => {
      const isCurrent = database === this.#container?.database && container === this.#container.container;
      return `${isCurrent ? '* ' : '  '}${safeText(`${database}/${container}`)}\n`;
    });
    await this.#output.write(lines.length === 0 ? 'There is no container.\n' : lines.join(''));
  }

  async #parameter(text: string): Promise<void> {
    const { parameters } = this.#settings;
    if (text === '') {
      await this.#output.write(
        parameters.length === 0 ? 'No parameter has a value.\n' : parameters.map(({ name }) => `${name}\n`).join(''),
      );
      return;
    }
    const given: NamedValue = parseParameter(text);
    this.#settings = { ...this.#settings, parameters: [...parameters.filter(({ name }) => name !== given.name), given] };
  }

  async #more(signal: AbortSignal): Promise<void> {
    const paused = this.#paused;
    if (paused === undefined) {
      throw new PerigeeError('INVALID_OPTION', 'Cannot show more: the last query has no more items.');
    }
    await this.#show(paused.query, paused.settings, paused.continuation, signal);
  }

  async #show(query: string, settings: QuerySettings, continuation: string | undefined, signal: AbortSignal): Promise<void> {
    const store = await this.#opened();
    const container = this.#container as ContainerName;
    this.#paused = undefined;
    const pause = this.#output.isTerminal ? PAUSE_ITEMS : undefined;
    const summary = await runQuery(store, query, settings, { max: this.#max, pause, continuation, signal }, this.#output);
    const isPaused = summary.continuation !== undefined && summary.items === pause;
    if (isPaused && summary.continuation !== undefined) {
      this.#paused = { query, container, settings, continuation: summary.continuation };
    }
    if (settings.format === 'table' || isPaused) {
      await this.#output.write(`${summaryText(summary)}${isPaused ? ' There are more: .more shows them.' : ''}\n`);
    }
  }
}
