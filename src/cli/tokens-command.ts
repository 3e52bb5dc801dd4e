import type { Command } from 'commander';
import type { TokensOptions } from './tokens/token-options-of.ts';

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

const HELP = `
Examples:
  export PERIGEE_KEY=...      the account key; it is read from here alone, and never printed
  perigee tokens --endpoint https://account.documents.azure.com:443/ --database app --container todos \\
    --issuer https://login.example.com --audience https://api.example.com
  perigee tokens --endpoint http://127.0.0.1:8081 --database app --container todos --partition-key '{sub}:todo' --development

Who asks sends POST with "authorization: Bearer <token of the issuer>" and a body such as {"container":"todos","partitionKey":["ada"],"mode":"all"}.
With --development the bearer token is the secret in PERIGEE_TOKENS_SECRET, and the header x-perigee-user names the user: for this machine alone.
The service speaks HTTP: put what ends TLS in front of it wherever it is reached from elsewhere. No token is ever logged. docs/tokens.md says more.
Ctrl-C stops it after the requests under way; a second one stops it at once.`;

/** Adds `perigee tokens`: a service that gives users tokens for their own partition keys. */
export function addTokensCommand(program: Command): void {
  program
    .command('tokens')
    .description('Serve tokens of an account to users, each for partition keys of their own.')
    .requiredOption('--endpoint <url>', 'address of the account, or of a server of Perigee')
    .requiredOption('--database <id>', 'database of the containers')
    .option('--container <id>', 'container that tokens are given for; at least one, repeatable', collect, [])
    .option('--issuer <url>', 'OpenID Connect provider whose tokens are accepted')
    .option('--audience <name>', 'audience that its tokens must be for; repeatable', collect, [])
    .option('--jwks-url <url>', 'its public keys; found through the issuer unless given')
    .option('--subject-claim <name>', 'claim that names the user', 'sub')
    .option('--development', 'accept the secret in PERIGEE_TOKENS_SECRET instead, from this machine only')
    .option('--partition-key <template>', 'partition key of a user, with {sub} for the name; repeatable; {sub} unless given', collect, [])
    .option('--lifetime <seconds>', 'life of a token, from 10 to 86400', '3600')
    .option('--caller-rate <number>', 'tokens a minute for one user', '120')
    .option('--total-rate <number>', 'tokens a minute for all users', '6000')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', '8082')
    .option('--json', 'print one line of JSON when ready')
    .addHelpText('after', HELP)
    .action(async (options: TokensOptions) => {
      const { serveTokens } = await import('./tokens/serve-tokens.ts');
      await serveTokens(options);
    });
}
