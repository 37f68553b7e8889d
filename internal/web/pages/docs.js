// Shows openapi.json as a page. No library, no outside host.
'use strict';

const make = (tag, text, ...children) => {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};

const resolve = (doc, schema) => {
  const ref = schema && schema.$ref;
  return ref ? doc.components.schemas[ref.split('/').pop()] : schema;
};

// example writes a schema as JSON with types for values.
function example(doc, schema, depth = 0) {
  const s = resolve(doc, schema);
  if (!s || depth > 5) return '…';
  if (s.oneOf) return example(doc, s.oneOf[0], depth);
  const type = Array.isArray(s.type) ? s.type[0] : s.type;
  if (type === 'array') return [example(doc, s.items, depth + 1)];
  if (type === 'object' || s.properties) {
    const out = {};
    for (const [name, p] of Object.entries(s.properties || {})) out[name] = example(doc, p, depth + 1);
    return out;
  }
  if (s.enum) return s.enum.join(' | ');
  const name = s.format || type || 'any';
  return Array.isArray(s.type) && s.type.includes('null') ? `${name} or null` : name;
}

function body(doc, title, content) {
  const media = content && (content['application/json'] || Object.values(content)[0]);
  if (!media || !media.schema) return [];
  return [make('p', title), make('pre', JSON.stringify(example(doc, media.schema), null, 2))];
}

function route(doc, method, path, op) {
  const head = make('summary', '', make('code', `${method.toUpperCase()} ${path}`), ` ${op.summary || ''}`);
  const node = make('details', '', head);
  if (op.description) node.append(make('p', op.description));
  if (op.parameters && op.parameters.length) {
    const table = make('table');
    for (const p of op.parameters) {
      const s = p.schema || {};
      const words = [s.format || s.type, s.enum && s.enum.join(' | '), p.description].filter(Boolean).join(' · ');
      table.append(make('tr', '', make('td', '', make('code', p.name)), make('td', p.in), make('td', words)));
    }
    node.append(table);
  }
  if (op.requestBody) node.append(...body(doc, 'Body', op.requestBody.content));
  for (const [status, r] of Object.entries(op.responses || {})) {
    if (status !== 'default') node.append(...body(doc, `Answer ${status}`, r.content));
  }
  node.dataset.words = `${method} ${path} ${op.summary || ''} ${op.description || ''}`.toLowerCase();
  return node;
}

async function show() {
  const doc = await (await fetch('openapi.json')).json();
  document.getElementById('about').textContent = doc.info.description;
  const groups = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(item)) {
      const tag = (op.tags && op.tags[0]) || 'other';
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(route(doc, method, doc.servers[0].url + path, op));
    }
  }
  const main = document.getElementById('routes');
  main.replaceChildren();
  for (const [tag, nodes] of [...groups].sort()) main.append(make('section', '', make('h2', tag), ...nodes));
  document.getElementById('find').addEventListener('input', (e) => {
    const words = e.target.value.toLowerCase();
    for (const node of main.querySelectorAll('details')) node.hidden = !node.dataset.words.includes(words);
  });
}

show();
