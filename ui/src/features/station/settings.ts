// What a station says about its settings, in groups, searched, and held against
// those of another station.
import type { Setting } from '../../api/shapes';

export type Group = { key: string; name: string; settings: Setting[] };

const evseText = (s: Pick<Setting, 'evse' | 'connector'>): string =>
  s.evse === 0 ? '' : s.connector === 0 ? ` · EVSE ${s.evse}` : ` · EVSE ${s.evse}/${s.connector}`;

/** The component a variable of 2.x belongs to; keys of 1.6 have none. */
export const componentOf = (s: Setting): string =>
  s.component === ''
    ? ''
    : `${s.component}${s.componentInstance ? `[${s.componentInstance}]` : ''}${evseText(s)}`;

export const nameOf = (s: Setting): string =>
  `${s.variable}${s.variableInstance ? `[${s.variableInstance}]` : ''}${s.attribute === 'Actual' || s.attribute === '' ? '' : `.${s.attribute}`}`;

export const keyOf = (s: Setting): string => `${componentOf(s)}/${nameOf(s)}`;

// The keys OCPP 1.6 and its security extension define; what else a station has
// is its maker's own.
const standard = new Set(
  [
    'AllowOfflineTxForUnknownId AuthorizationCacheEnabled AuthorizeRemoteTxRequests BlinkRepeat ClockAlignedDataInterval',
    'ConnectionTimeOut ConnectorPhaseRotation ConnectorPhaseRotationMaxLength GetConfigurationMaxKeys HeartbeatInterval',
    'LightIntensity LocalAuthorizeOffline LocalPreAuthorize MaxEnergyOnInvalidId MeterValuesAlignedData',
    'MeterValuesAlignedDataMaxLength MeterValuesSampledData MeterValuesSampledDataMaxLength MeterValueSampleInterval',
    'MinimumStatusDuration NumberOfConnectors ResetRetries StopTransactionOnEVSideDisconnect StopTransactionOnInvalidId',
    'StopTxnAlignedData StopTxnAlignedDataMaxLength StopTxnSampledData StopTxnSampledDataMaxLength SupportedFeatureProfiles',
    'SupportedFeatureProfilesMaxLength TransactionMessageAttempts TransactionMessageRetryInterval UnlockConnectorOnEVSideDisconnect',
    'WebSocketPingInterval LocalAuthListEnabled LocalAuthListMaxLength SendLocalListMaxLength ReserveConnectorZeroSupported',
    'ChargeProfileMaxStackLevel ChargingScheduleAllowedChargingRateUnit ChargingScheduleMaxPeriods ConnectorSwitch3to1PhaseSupported',
    'MaxChargingProfilesInstalled AdditionalRootCertificateCheck AuthorizationKey CertificateSignedMaxChainSize CertificateStoreMaxLength',
    'CpoName SecurityProfile SupportedFileTransferProtocols',
  ]
    .join(' ')
    .split(' '),
);

/** A key of 1.6 that the specification does not have. */
export const isVendors = (s: Setting): boolean => s.component === '' && !standard.has(s.variable);

export function searched(settings: readonly Setting[], text: string): Setting[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return settings.filter((s) => {
    const all = `${keyOf(s)} ${s.value ?? ''}`.toLowerCase();
    return words.every((w) => all.includes(w));
  });
}

export function grouped(settings: readonly Setting[]): Group[] {
  const groups = new Map<string, Group>();
  for (const s of settings) {
    const key = componentOf(s);
    const group = groups.get(key) ?? { key, name: key, settings: [] };
    group.settings.push(s);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

export type Difference = { key: string; here: Setting | null; there: Setting | null };

// Says which station this is, not how it is set.
const own =
  /serial|identity|iccid|imsi|^\/?(cpoName)$|macaddress|uuid|organizationname|chargeboxid|basicauth|datetime|timeoffset/i;

/** What is set in another way; what names the single station is left out. */
export function differences(here: readonly Setting[], there: readonly Setting[]): Difference[] {
  const others = new Map(there.map((s) => [keyOf(s), s]));
  const found: Difference[] = [];
  for (const s of here) {
    const key = keyOf(s);
    const other = others.get(key) ?? null;
    others.delete(key);
    if (own.test(s.variable)) continue;
    if (other === null || other.value !== s.value) found.push({ key, here: s, there: other });
  }
  for (const [key, s] of others) if (!own.test(s.variable)) found.push({ key, here: null, there: s });
  return found.sort((a, b) => a.key.localeCompare(b.key, 'en', { numeric: true }));
}

/** The command that sets one value. */
export function setCommand(
  protocol: string,
  s: Setting,
  value: string,
): { action: string; payload: Record<string, unknown> } {
  if (protocol === 'ocpp1.6' || s.component === '')
    return { action: 'ChangeConfiguration', payload: { key: s.variable, value } };
  const evse =
    s.evse === 0 ? {} : { evse: { id: s.evse, ...(s.connector === 0 ? {} : { connectorId: s.connector }) } };
  return {
    action: 'SetVariables',
    payload: {
      setVariableData: [
        {
          component: {
            name: s.component,
            ...(s.componentInstance ? { instance: s.componentInstance } : {}),
            ...evse,
          },
          variable: { name: s.variable, ...(s.variableInstance ? { instance: s.variableInstance } : {}) },
          ...(s.attribute === 'Actual' || s.attribute === '' ? {} : { attributeType: s.attribute }),
          attributeValue: value,
        },
      ],
    },
  };
}
