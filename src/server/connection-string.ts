/** What clients connect with, as the service's own tools write it. */
export function connectionString(url: string, key: string): string {
  return `AccountEndpoint=${url}/;AccountKey=${key};`;
}
