import { describe, expect, it } from 'vitest';
import { Problem } from '../../api/problem';
import { complete, draftOf, faultUnder, leadsTo, secretsOf, settingsOf } from './fields';
import type { ChannelType, Field, Route, Shift } from './queries';
import { lastTried, moved, routeDraft, routeOf, takesAll } from './routes';
import { freshLayer, peopleOf } from './schedules';
import { parseChannels } from './search';
import { midnights, namesOf, weeksOf } from './strip';

const field = (name: string, part: Partial<Field> = {}): Field => ({
  name,
  form: 'text',
  required: false,
  secret: false,
  choices: [],
  default: null,
  doc: '',
  ...part,
});

const email: ChannelType = {
  type: 'email',
  needs: '',
  together: 50,
  fields: [
    field('host', { required: true }),
    field('port', { form: 'number', default: 587 }),
    field('to', { form: 'list', required: true }),
    field('retain', { form: 'boolean', default: false }),
    field('password', { secret: true, required: true }),
    field('token', { secret: true }),
  ],
};

describe('the form of a channel', () => {
  it('begins with what is set, else with the default', () =>
    expect(draftOf(email, { host: 'mx', to: ['a@x'] })).toEqual({
      host: 'mx',
      port: 587,
      to: ['a@x'],
      retain: false,
    }));

  it('sends what stands there, trimmed, and nothing that is empty', () =>
    expect(settingsOf(email, { host: ' mx ', port: '', to: [' a@x ', ' '], retain: true })).toEqual({
      host: 'mx',
      to: ['a@x'],
      retain: true,
    }));

  it('sends only secrets that were touched, an empty one to remove it', () => {
    expect(secretsOf(email, { password: ' p ', token: '', other: 'x' }, false)).toEqual({
      password: 'p',
      token: '',
    });
    expect(secretsOf(email, { password: 'p', token: '' }, true)).toEqual({ password: 'p' });
  });

  it('is complete when what is required stands there or is set', () => {
    const draft = draftOf(email, { host: 'mx', to: ['a@x'] });
    expect(complete(email, draft, {}, [])).toBe(false);
    expect(complete(email, draft, {}, ['password'])).toBe(true);
    expect(complete(email, draft, { password: '' }, ['password'])).toBe(false);
    expect(complete(email, { ...draft, to: [] }, { password: 'p' }, [])).toBe(false);
  });

  it('finds what is wrong at a field and inside it, not at its namesake', () => {
    const p = new Problem(422, '', '', [
      { location: 'body.settings.to[1]', message: 'no address' },
      { location: 'body.settings.topic', message: 'too long' },
    ]);
    expect(faultUnder(p, 'settings.to')).toBe('no address');
    expect(faultUnder(p, 'settings.topic')).toBe('too long');
    expect(faultUnder(p, 'settings')).toBe('no address');
    expect(faultUnder(p, 'settings.host')).toBeUndefined();
    expect(faultUnder(null, 'settings.to')).toBeUndefined();
  });

  it('says where a channel leads without the path of its address', () => {
    expect(leadsTo({ url: 'https://ntfy.sh/x?key=1', topic: 'duty' })).toBe('ntfy.sh · duty');
    expect(leadsTo({ to: ['a@x', 'b@x'] })).toBe('a@x, b@x');
    expect(leadsTo({ contact: 'mailto:ops@x' })).toBe('ops@x');
    expect(leadsTo({})).toBe('');
  });
});

describe('the order of routes', () => {
  const all: Route = { name: 'all' };
  const worst: Route = { name: 'worst', match: { severities: ['S1'] } };

  it('knows the one that takes everything', () => {
    expect(takesAll(all)).toBe(true);
    expect(takesAll({ name: 'x', match: { severities: [], labels: {} } })).toBe(true);
    expect(takesAll(worst)).toBe(false);
    expect(takesAll({ name: 'x', match: { labels: { vendor: 'A' } } })).toBe(false);
  });

  it('ends where everything is taken and nothing goes on', () => {
    expect(lastTried([worst, all, worst])).toBe(1);
    expect(lastTried([{ ...all, continue: true }, worst])).toBe(-1);
    expect(lastTried([])).toBe(-1);
  });

  it('moves one within its bounds', () => {
    const names = (r: Route[]) => r.map((x) => x.name).join();
    expect(names(moved([worst, all], 0, 1))).toBe('all,worst');
    expect(names(moved([worst, all], 0, -1))).toBe('worst,all');
    expect(names(moved([worst, all], 1, 1))).toBe('worst,all');
  });

  it('comes back from its fields as it was', () => {
    const whole: Route = {
      name: 'night',
      match: {
        severities: ['S1'],
        kinds: ['fault*'],
        sites: ['ham'],
        stations: ['A'],
        labels: { vendor: 'A=B' },
      },
      channels: ['c1'],
      escalation: 'e1',
      continue: true,
      withoutDuress: true,
      groupBy: ['site'],
      groupWaitSeconds: 30,
      groupIntervalSeconds: 90,
      repeatSeconds: 3600,
      quiet: [{ days: ['mon'], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' }],
    };
    expect(routeOf(routeDraft(whole))).toEqual(whole);
  });
});

describe('two weeks of being on call', () => {
  const shift = (from: string, to: string, name: string, override = false): Shift => ({
    from,
    to,
    member: { name, channels: [] },
    override,
  });

  it('has days of 23 hours where the clock goes forward', () => {
    const starts = midnights(Date.parse('2026-03-28T12:00:00Z'), 'Europe/Berlin', 14);
    expect(starts).toHaveLength(15);
    expect(new Date(starts[0]!).toISOString()).toBe('2026-03-27T23:00:00.000Z');
    expect(starts[2]! - starts[1]!).toBe(23 * 3_600_000);
  });

  it('shows who, in pieces without a hole, and where nobody is', () => {
    const starts = midnights(Date.parse('2026-01-05T12:00:00Z'), 'UTC', 14);
    const weeks = weeksOf(
      [
        shift('2026-01-04T08:00:00Z', '2026-01-06T00:00:00Z', 'ann'),
        shift('2026-01-07T00:00:00Z', '2026-01-14T00:00:00Z', 'bob', true),
      ],
      starts,
    );
    expect(weeks).toHaveLength(2);
    expect(weeks[0]!.pieces.map((p) => p.name)).toEqual(['ann', null, 'bob']);
    expect(weeks[1]!.pieces.map((p) => p.name)).toEqual(['bob', null]);
    expect(weeks[0]!.pieces[0]).toMatchObject({ left: 0, width: 1 / 7 });
    for (const w of weeks) {
      expect(w.pieces.reduce((sum, p) => sum + p.width, 0)).toBeCloseTo(1);
    }
    expect(namesOf(weeks)).toEqual(['ann', 'bob']);
  });

  it('begins a new layer on the Monday of the week', () => {
    expect(freshLayer(Date.parse('2026-11-22T10:00:00Z')).start).toBe('2026-11-16');
    expect(freshLayer(Date.parse('2026-11-23T10:00:00Z')).start).toBe('2026-11-23');
  });

  it('knows each person once', () =>
    expect(
      peopleOf({
        name: 's',
        timeZone: 'UTC',
        changedAt: '',
        layers: [
          {
            members: [
              { name: 'ann', channels: ['a'] },
              { name: 'bob', channels: ['b'] },
            ],
            start: '',
            handover: '',
            rotationDays: 7,
          },
        ],
        overrides: [{ from: '', to: '', member: { name: 'ann', channels: ['z'] } }],
      }),
    ).toEqual([
      { name: 'ann', channels: ['a'] },
      { name: 'bob', channels: ['b'] },
    ]));
});

describe('the address of the page', () => {
  it('keeps what it knows and drops the rest', () => {
    expect(parseChannels({ tab: 'oncall', state: 'failed', channel: 'ch-1' })).toEqual({
      tab: 'oncall',
      state: 'failed',
      channel: 'ch-1',
    });
    expect(parseChannels({ tab: 'channels', state: 'lost', channel: 7 })).toEqual({});
  });
});
