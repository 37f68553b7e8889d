import type { ComponentType, ReactNode } from 'react';
import { type MessageKey, words } from '../../i18n/i18n';
import type { IconName } from '../../ui/icons';
import { later } from '../../ui/later';
import type { SettingsTab } from './tabs';

export type Section = {
  tab: SettingsTab;
  icon: IconName;
  title: MessageKey;
  /** What else a person may type to find it. */
  finds: MessageKey;
  /** Without it the part is not shown; nothing asks nothing. */
  needs?: string;
  part: ComponentType;
};

export type Group = { title: MessageKey; sections: Section[] };

const part = (load: () => Promise<{ default: (props: object) => ReactNode }>) => later(load);

/** One line per part: what it is called, who sees it, and its code, which comes when it is opened. */
export const groups: Group[] = [
  {
    title: 'settings.network',
    sections: [
      {
        tab: 'sites',
        icon: 'overview',
        title: 'settings.sites',
        finds: 'settings.sites.finds',
        part: part(() => import('./sites')),
      },
      {
        tab: 'stations',
        icon: 'stations',
        title: 'settings.stations',
        finds: 'settings.stations.finds',
        needs: 'stations.write',
        part: part(() => import('./stations')),
      },
      {
        tab: 'models',
        icon: 'stations',
        title: 'settings.models',
        finds: 'settings.models.finds',
        needs: 'stations.read',
        part: part(async () => {
          const [models] = await Promise.all([import('../models/part'), words.need('models', 'station')]);
          return models;
        }),
      },
      {
        tab: 'profiles',
        icon: 'list',
        title: 'settings.profiles',
        finds: 'settings.profiles.finds',
        needs: 'stations.read',
        part: part(async () => {
          const [profiles] = await Promise.all([import('../profiles/part'), words.need('profiles')]);
          return profiles;
        }),
      },
      {
        tab: 'upstreams',
        icon: 'link',
        title: 'settings.upstreams',
        finds: 'settings.upstreams.finds',
        needs: 'system.read',
        part: part(async () => {
          const [upstreams] = await Promise.all([import('../upstreams/part'), words.need('upstreams')]);
          return upstreams;
        }),
      },
      {
        tab: 'firmware',
        icon: 'download',
        title: 'settings.firmware',
        finds: 'settings.firmware.finds',
        needs: 'stations.command',
        part: part(async () => {
          const [library] = await Promise.all([import('../files/library'), words.need('files')]);
          return library;
        }),
      },
      {
        tab: 'cameras',
        icon: 'camera',
        title: 'settings.cameras',
        finds: 'settings.cameras.finds',
        needs: 'cameras.read',
        part: part(() => import('../cameras/part')),
      },
      {
        tab: 'recording',
        icon: 'clock',
        title: 'settings.recording',
        finds: 'settings.recording.finds',
        needs: 'cameras.read',
        part: part(() => import('../keeping/page')),
      },
      {
        tab: 'doors',
        icon: 'door',
        title: 'settings.doors',
        finds: 'settings.doors.finds',
        needs: 'doors.write',
        part: part(() => import('../doors/part')),
      },
      {
        tab: 'outputs',
        icon: 'bell',
        title: 'settings.outputs',
        finds: 'settings.outputs.finds',
        needs: 'outputs.write',
        part: part(() => import('../outputs/part')),
      },
      {
        tab: 'response',
        icon: 'siren',
        title: 'settings.response',
        finds: 'settings.response.finds',
        needs: 'incidents.act',
        part: part(() => import('../response/settings')),
      },
      {
        tab: 'credentials',
        icon: 'card',
        title: 'settings.credentials',
        finds: 'settings.credentials.finds',
        needs: 'credentials.read',
        part: part(() => import('./credentials')),
      },
    ],
  },
  {
    title: 'settings.people',
    sections: [
      {
        tab: 'users',
        icon: 'user',
        title: 'settings.users',
        finds: 'settings.users.finds',
        needs: 'users.read',
        part: part(() => import('./users')),
      },
      {
        tab: 'tokens',
        icon: 'key',
        title: 'settings.tokens',
        finds: 'settings.tokens.finds',
        needs: 'tokens.read',
        part: part(() => import('./tokens')),
      },
      {
        tab: 'signins',
        icon: 'signout',
        title: 'settings.signins',
        finds: 'settings.signins.finds',
        part: part(() => import('./signins')),
      },
      {
        tab: 'screens',
        icon: 'screen',
        title: 'settings.screens',
        finds: 'settings.screens.finds',
        needs: 'kiosks.read',
        part: part(() => import('../kiosk/screens')),
      },
      {
        tab: 'audit',
        icon: 'list',
        title: 'settings.audit',
        finds: 'settings.audit.finds',
        needs: 'audit.read',
        part: part(() => import('./audit')),
      },
    ],
  },
  {
    title: 'settings.server',
    sections: [
      {
        tab: 'retention',
        icon: 'disk',
        title: 'settings.retention',
        finds: 'settings.retention.finds',
        needs: 'system.read',
        part: part(() => import('./retention')),
      },
      {
        tab: 'about',
        icon: 'help',
        title: 'settings.about',
        finds: 'settings.about.finds',
        part: part(() => import('./about')),
      },
    ],
  },
];
