import type { ScriptProperty } from '../script-protocol.ts';
import type { SandboxKit, ScriptMessage } from './sandbox-types.ts';

/** A {@link ScriptMessage} and what the sandbox itself reads of it. */
export interface CreatedMessage {
  readonly message: ScriptMessage;
  /** JSON of a property; `undefined` where it has none. */
  readonly json: (name: string) => string | undefined;
}

/**
 * Makes the request or the response of a script.
 *
 * `appendBody` adds as `+` does: texts are joined, numbers summed. What a script gets is the value itself, so that a change of its members shows.
 */
export function createMessage(
  { parse, stringify, refuse }: SandboxKit,
  properties: readonly ScriptProperty[],
  maxCharacters: number,
): CreatedMessage {
  const values: Record<string, { value: unknown; readonly isWritable: boolean } | undefined> = Object.create(null);
  for (const { name, json, isWritable } of properties) {
    values[name] = { value: json === undefined ? undefined : parse(json), isWritable };
  }
  const check = (name: string, value: unknown): void => {
    if (value !== undefined && value !== null) {
      const text = typeof value === 'object' ? stringify(value) : String(value);
      if (text !== undefined && text.length > maxCharacters) {
        throw refuse(
          413,
          `The message would be too large with this "${name}": at most ${maxCharacters} characters. Return with what there is and go on in another call.`,
        );
      }
    }
  };
  const writable = (name: string): { value: unknown } => {
    const property = values[name];
    if (property === undefined) {
      throw refuse(400, `There is no property "${name}" that could be set.`);
    }
    if (!property.isWritable) {
      throw refuse(403, `The property "${name}" cannot be set here.`);
    }
    return property;
  };
  const getValue = (name: unknown): unknown => {
    if (name === undefined) {
      return undefined;
    }
    const property = values[String(name)];
    if (property === undefined) {
      throw refuse(400, `There is no property "${String(name)}".`);
    }
    return property.value;
  };
  const setValue = (name: unknown, value: unknown): void => {
    if (name !== undefined) {
      const property = writable(String(name));
      check(String(name), value);
      property.value = value;
    }
  };
  const appendValue = (name: unknown, value: unknown): void => {
    if (name !== undefined) {
      const property = writable(String(name));
      const sum = property.value === undefined || property.value === null ? value : (property.value as string) + (value as string);
      check(String(name), sum);
      property.value = sum;
    }
  };
  const message: Record<string, unknown> = { getValue, setValue, appendValue };
  for (const { name } of properties) {
    message[`get${name}`] = () => getValue(name);
    message[`set${name}`] = (value: unknown) => setValue(name, value);
    message[`append${name}`] = (value: unknown) => appendValue(name, value);
  }
  return { message: message as unknown as ScriptMessage, json: (name) => stringify(values[name]?.value) };
}
