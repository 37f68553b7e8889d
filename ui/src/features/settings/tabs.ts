/** The parts of the settings, as the address bar names them. */
export const SETTINGS_TABS = [
  'sites',
  'stations',
  'models',
  'profiles',
  'upstreams',
  'firmware',
  'cameras',
  'recording',
  'doors',
  'outputs',
  'response',
  'credentials',
  'users',
  'tokens',
  'signins',
  'screens',
  'audit',
  'retention',
  'about',
] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];
