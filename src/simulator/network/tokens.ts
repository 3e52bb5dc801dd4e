import type { ErrorCode } from '../../core/error-codes.ts';

/** The tokens with which devices ask the remote: each ends at a time, or is revoked before. */
export class SimulatedTokens {
  readonly #untilMs = new Map<string, number>();
  readonly #revoked = new Map<string, ErrorCode>();

  /** Signs a device in, until a time in milliseconds since 1970. */
  grant(device: string, untilMs: number): void {
    this.#untilMs.set(device, untilMs);
    this.#revoked.delete(device);
  }

  /** From now on the remote refuses a device. */
  revoke(device: string, code: ErrorCode): void {
    this.#revoked.set(device, code);
  }

  /** What the remote answers to a device that may not ask; `undefined` where it may. */
  refusal(device: string, nowMs: number): ErrorCode | undefined {
    const isOver = (this.#untilMs.get(device) ?? Number.POSITIVE_INFINITY) <= nowMs;
    return this.#revoked.get(device) ?? (isOver ? 'TOKEN_EXPIRED' : undefined);
  }
}
