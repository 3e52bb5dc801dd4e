/** What a link to a document names it by. */
export type DocumentLink = { readonly id: string } | { readonly rid: string };

/** The links of the container that a script runs in. */
export interface ContainerLinks {
  /** `_self` of the container, with a slash at the end. */
  readonly selfLink: string;
  /** By names, without a slash at the end. */
  readonly altLink: string;
}

/** Reads the link of a document in the container; `undefined` for anything else. */
export function readDocumentLink(link: string, { selfLink, altLink }: ContainerLinks): DocumentLink | undefined {
  const tail = (start: string): string | undefined => {
    const rest = link.startsWith(start) ? link.slice(start.length) : '';
    const name = rest.endsWith('/') ? rest.slice(0, -1) : rest;
    return name === '' || name.includes('/') ? undefined : name;
  };
  const rid = tail(`${selfLink}docs/`);
  if (rid !== undefined) {
    return { rid };
  }
  const id = tail(`${altLink}/docs/`);
  return id === undefined ? undefined : { id };
}
