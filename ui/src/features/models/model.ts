import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { rated } from '../../format/quantity';
import type { Translate } from '../../i18n/i18n';
import { plugName } from '../station/plug';

type Schemas = components['schemas'];
export type Model = Schemas['ModelShape'];
export type Unmatched = Schemas['UnmatchedModelShape'];
export type Port = Schemas['ModelEVSEShape'];
export type Draft = Schemas['NewModelInputBody'];

export const MODELS = ['models'];

export const modelsQuery = () =>
  queryOptions({
    queryKey: [...MODELS, 'all'],
    queryFn: async ({ signal }) => {
      const items: Model[] = [];
      let cursor: string | undefined;
      do {
        const page = await ok(api.GET('/models', { params: { query: { limit: 1000, cursor } }, signal }));
        items.push(...page.items);
        cursor = page.nextCursor || undefined;
      } while (cursor);
      return items;
    },
  });

export const unmatchedQuery = () =>
  queryOptions({
    queryKey: [...MODELS, 'unmatched'],
    queryFn: async ({ signal }) => (await ok(api.GET('/models/unmatched', { signal }))).items,
    refetchInterval: 60_000,
  });

/** ConnectorEnumType of OCPP 2.0.1: c is a cable, s a socket. */
export const PLUGS = [
  'cCCS2',
  'cCCS1',
  'cG105',
  'cType2',
  'sType2',
  'cType1',
  'cTesla',
  's309-1P-16A',
  's309-1P-32A',
  's309-3P-16A',
  's309-3P-32A',
  'sBS1361',
  'sCEE-7-7',
  'sType3',
  'Pan',
  'wInductive',
  'wResonant',
  'Other1PhMax16A',
  'Other1PhOver16A',
  'Other3Ph',
];

export const MEASURANDS = [
  'Current.Export',
  'Current.Import',
  'Current.Offered',
  'Energy.Active.Export.Interval',
  'Energy.Active.Export.Register',
  'Energy.Active.Import.Interval',
  'Energy.Active.Import.Register',
  'Energy.Reactive.Export.Interval',
  'Energy.Reactive.Export.Register',
  'Energy.Reactive.Import.Interval',
  'Energy.Reactive.Import.Register',
  'Frequency',
  'Power.Active.Export',
  'Power.Active.Import',
  'Power.Factor',
  'Power.Offered',
  'Power.Reactive.Export',
  'Power.Reactive.Import',
  'RPM',
  'SoC',
  'Temperature',
  'Voltage',
];

/** What a plug is called here: the cable or the socket of a name. */
export const plugWords = (t: Translate, type: string | undefined): string =>
  type === undefined || type === ''
    ? ''
    : type.startsWith('w') || type.startsWith('Other')
      ? t(`models.plug.${type}` as 'models.plug.Other3Ph')
      : plugName(t, type);

/** One line for each kind of port: "2 × DC 50 kW, CCS 2, one of a group at a time". */
export function portLines(t: Translate, tag: string, ports: readonly Port[]): string[] {
  const kinds = new Map<string, number>();
  for (const p of ports) {
    const plugs = p.connectors.map((c) => plugWords(t, c.type)).filter(Boolean);
    const words = [
      [p.current || t('models.currentUnknown'), p.ratedW ? `${rated(tag, p.ratedW)} kW` : '']
        .filter(Boolean)
        .join(' '),
      p.phases ? t('models.phasesShort', { n: p.phases }) : '',
      plugs.length > 0
        ? [...new Set(plugs)].join(' / ')
        : p.connectors.length > 1
          ? t('models.plugsShort', { n: p.connectors.length })
          : '',
      p.exclusive ? t('models.exclusiveShort') : p.group ? t('models.sharedShort') : '',
    ];
    const line = words.filter(Boolean).join(', ');
    kinds.set(line, (kinds.get(line) ?? 0) + 1);
  }
  return [...kinds].map(([line, n]) => `${n} × ${line}`);
}

/** What an entry says beside its ports. */
export function hints(t: Translate, m: Pick<Model, 'configuration' | 'quirks'>): string[] {
  const c = m.configuration;
  return [
    c.unsupported?.length ? t('models.hint.unsupported', { list: c.unsupported.join(', ') }) : '',
    c.rebootAfter?.length ? t('models.hint.rebootAfter', { list: c.rebootAfter.join(', ') }) : '',
    c.maxMeasurands ? t('models.hint.maxMeasurands', { n: c.maxMeasurands }) : '',
    m.quirks.length ? t('models.hint.quirks', { list: m.quirks.join(', ') }) : '',
  ].filter(Boolean);
}

/** The next number of a connector: they count over the whole station. */
export const nextConnector = (ports: readonly Port[]): number =>
  Math.max(0, ...ports.flatMap((p) => p.connectors.map((c) => c.connector))) + 1;

/** An entry to begin with. */
export const blank = (): Draft => ({
  vendor: '',
  model: '',
  source: '',
  evses: [{ evse: 1, current: 'AC', connectors: [{ connector: 1 }] }],
});

export const draftOf = (m: Model): Draft => ({
  vendor: m.vendor,
  model: m.model,
  source: m.source,
  evses: m.evses,
  configuration: m.configuration,
  quirks: m.quirks,
});

/** What stations told, as an entry; what nobody told is left to the person. */
export const draftFrom = (u: Unmatched): Draft => ({
  ...blank(),
  vendor: u.vendor,
  model: u.suggestion?.model ?? u.model.slice(0, 50),
  source: u.suggestion?.source ?? '',
  ...(u.suggestion ? { evses: u.suggestion.evses } : {}),
});
