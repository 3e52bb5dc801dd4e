import { PerigeeError } from '../core/errors.ts';

/** How a container is replaced or deleted. */
export interface ContainerWriteOptions {
  /** The etag that the container must still have, or `*` for any; PRECONDITION_FAILED otherwise. */
  readonly ifMatch?: string | undefined;
}

/** Raises PRECONDITION_FAILED where a container no longer has the etag that a caller read. Whoever calls it writes before anybody else can. */
export function checkContainerEtag(id: string, etag: string, ifMatch: string | undefined): void {
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== etag) {
    throw new PerigeeError(
      'PRECONDITION_FAILED',
      `The container ${JSON.stringify(id)} changed since its etag was read. Read it again and decide.`,
      { details: { etag } },
    );
  }
}
