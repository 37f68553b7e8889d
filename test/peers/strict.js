// A charging station made of the npm package ocpp-rpc in strict mode: it checks
// every answer and every command it gets against the OCPP JSON schemas.
//
//   node strict.js '{"endpoint":"ws://…/ocpp","identity":"CP1","protocol":"ocpp1.6",
//                    "calls":["Heartbeat",…],"sends":[…],"commands":["Reset",…]}'
//
// It calls each action with payloads made from the schemas, prints one JSON line
// per thing found wrong ({"fault":…}), then one line with payloads for the
// commands ({"commands":[{action,payload,answer}]}), answers those until its
// standard input ends, and leaves. With "print":true it only prints the payloads
// of the calls ({"payloads":[{action,payload}]}).
'use strict';

const path = require('node:path');
const modules = path.join(__dirname, '..', 'schemas', 'node_modules');
const { RPCClient, createValidator } = require(path.join(modules, 'ocpp-rpc'));

const job = JSON.parse(process.argv[2]);
const file = job.protocol.replaceAll('.', '_') + '.json';
// The schemas of 2.1 are named in another way than the package looks for.
const schemas = require(path.join(modules, 'ocpp-rpc', 'lib', 'schemas', file)).map((s) => ({
  ...s,
  $id: s.$id.replace(/Request$/, '.req').replace(/Response$/, '.conf').replace(/^([^.]*)$/, '$1.req'),
}));
const byName = new Map(schemas.map((s) => [s.$id.slice('urn:'.length), s]));

const print = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const fault = (where, error) => print({ fault: where, error: String(error?.message ?? error), details: error?.details?.errors });

/** Makes a value that the schema allows; variant 0 has only what is required. */
function make(root, schema, variant, depth = 0) {
  while (schema.$ref) schema = root.definitions[schema.$ref.split('/').pop()];
  if (schema.enum) return schema.enum[variant % schema.enum.length];
  switch (schema.type) {
    case 'object': {
      const out = {};
      for (const [name, of] of Object.entries(schema.properties ?? {})) {
        const needed = schema.required?.includes(name);
        if (name === 'customData' || (!needed && (variant === 0 || depth > 6))) continue;
        out[name] = make(root, of, variant, depth + 1);
      }
      return out;
    }
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 0) }, () => make(root, schema.items, variant, depth + 1));
    case 'string':
      if (schema.format === 'date-time') return new Date(Date.now() - variant * 1000).toISOString();
      if (schema.format === 'uri') return 'https://files.example.com/a.bin';
      return 'text'.slice(0, schema.maxLength ?? 4);
    case 'integer':
    case 'number':
      return Math.min(schema.maximum ?? Infinity, Math.max(schema.minimum ?? -Infinity, 1 + variant));
    case 'boolean':
      return variant % 2 === 1;
    default:
      return 'anything';
  }
}

const payload = (name, variant) => {
  const s = byName.get(name);
  return s ? make(s, s, variant) : {};
};

async function main() {
  if (job.print) {
    print({ payloads: job.calls.flatMap((action) => [0, 1, 2, 3].map((variant) => ({ action, payload: payload(action + '.req', variant) }))) });
    return;
  }
  const client = new RPCClient({
    endpoint: job.endpoint,
    identity: job.identity,
    protocols: [job.protocol],
    strictMode: true,
    strictModeValidators: [createValidator(job.protocol, schemas)],
    reconnect: false,
    callTimeoutMs: 20000,
  });
  client.on('strictValidationFailure', (f) => {
    fault(`${f.outbound ? 'own' : 'their'} ${f.method} ${f.isCall ? 'request' : 'answer'}: ${JSON.stringify(f.result ?? f.params)}`, f.error);
  });
  client.on('badMessage', (b) => fault('bad message ' + b.buffer, b.error));
  const answers = new Map((job.commands ?? []).map((action) => [action, payload(action + '.conf', 1)]));
  client.handle(({ method }) => answers.get(method));
  await client.connect();
  if (client.protocol !== job.protocol) fault('protocol', client.protocol);

  let called = 0;
  for (const action of job.calls ?? []) {
    for (let variant = 0; variant < 4; variant++) {
      try {
        await client.call(action, payload(action + '.req', variant));
        called++;
      } catch (error) {
        fault(`call ${action}`, error);
      }
    }
  }
  for (const action of job.sends ?? []) {
    client.sendRaw(JSON.stringify([6, 'send-' + action, action, payload(action + '.req', 1)]));
  }
  if (!job.quiet) await client.call('Heartbeat', {});
  print({
    called,
    commands: (job.commands ?? []).flatMap((action) =>
      [0, 1, 2, 3].map((variant) => ({ action, payload: payload(action + '.req', variant), answer: answers.get(action) }))),
  });
  await new Promise((resolve) => process.stdin.on('end', resolve).resume());
  await client.close();
}

main().catch((error) => {
  fault('run', error);
  process.exitCode = 1;
});
