import type { Translate } from '../../i18n/i18n';

// Names of ConnectorEnumType that drivers use; anything else is shown as sent.
const names: Record<string, string> = {
  cCCS1: 'CCS 1',
  cCCS2: 'CCS 2',
  cG105: 'CHAdeMO',
  cTesla: 'Tesla',
  cType1: 'Type 1',
  cType2: 'Type 2',
  's309-1P-16A': 'CEE blue 16 A',
  's309-1P-32A': 'CEE blue 32 A',
  's309-3P-16A': 'CEE red 16 A',
  's309-3P-32A': 'CEE red 32 A',
  sBS1361: 'BS 1363',
  'sCEE-7-7': 'Schuko',
  sType2: 'Type 2',
  sType3: 'Type 3',
  cNACS: 'NACS',
  sNACS: 'NACS',
  cMCS: 'MCS',
  Pan: 'Pantograph',
};

export function plugName(t: Translate, type: string): string {
  const name = names[type];
  if (!name) return type === 'Unknown' || type === 'Undetermined' ? '' : type;
  return type.startsWith('s') && (type === 'sType2' || type === 'sType3') ? t('plug.socket', { name }) : name;
}
