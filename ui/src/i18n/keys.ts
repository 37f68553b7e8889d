// The keys of all words: the shell's, which every page has, and those that come
// with a feature. A feature with words of its own adds its two lines here.

import type access from '../features/access/words/en.json';
import type analytics from '../features/analytics/words/en.json';
import type cameras from '../features/cameras/words/en.json';
import type campaigns from '../features/campaigns/words/en.json';
import type channels from '../features/channels/words/en.json';
import type desk from '../features/desk/words/en.json';
import type detectors from '../features/detectors/words/en.json';
import type doors from '../features/doors/words/en.json';
import type events from '../features/events/words/en.json';
import type evidence from '../features/evidence/words/en.json';
import type files from '../features/files/words/en.json';
import type forecast from '../features/forecast/words/en.json';
import type health from '../features/health/words/en.json';
import type incidents from '../features/incidents/words/en.json';
import type keeping from '../features/keeping/words/en.json';
import type kiosk from '../features/kiosk/words/en.json';
import type maintenance from '../features/maintenance/words/en.json';
import type map from '../features/map/words/en.json';
import type me from '../features/me/words/en.json';
import type measures from '../features/measures/words/en.json';
import type models from '../features/models/words/en.json';
import type outputs from '../features/outputs/words/en.json';
import type overview from '../features/overview/words/en.json';
import type past from '../features/past/words/en.json';
import type planner from '../features/planner/words/en.json';
import type playbooks from '../features/playbooks/words/en.json';
import type profiles from '../features/profiles/words/en.json';
import type proofs from '../features/proofs/words/en.json';
import type raid from '../features/raid/words/en.json';
import type response from '../features/response/words/en.json';
import type rules from '../features/rules/words/en.json';
import type scan from '../features/scan/words/en.json';
import type sessions from '../features/sessions/words/en.json';
import type settings from '../features/settings/words/en.json';
import type signin from '../features/signin/words/en.json';
import type site from '../features/site/words/en.json';
import type sites from '../features/sites/words/en.json';
import type station from '../features/station/words/en.json';
import type stations from '../features/stations/words/en.json';
import type upstreams from '../features/upstreams/words/en.json';
import type video from '../features/video/words/en.json';
import type welcome from '../features/welcome/words/en.json';
import type shell from './en.json';

export type MessageKey =
  | keyof typeof shell
  | keyof typeof access
  | keyof typeof analytics
  | keyof typeof cameras
  | keyof typeof campaigns
  | keyof typeof channels
  | keyof typeof desk
  | keyof typeof detectors
  | keyof typeof doors
  | keyof typeof kiosk
  | keyof typeof me
  | keyof typeof forecast
  | keyof typeof health
  | keyof typeof incidents
  | keyof typeof maintenance
  | keyof typeof map
  | keyof typeof measures
  | keyof typeof files
  | keyof typeof models
  | keyof typeof outputs
  | keyof typeof overview
  | keyof typeof past
  | keyof typeof profiles
  | keyof typeof proofs
  | keyof typeof raid
  | keyof typeof response
  | keyof typeof rules
  | keyof typeof keeping
  | keyof typeof planner
  | keyof typeof playbooks
  | keyof typeof scan
  | keyof typeof upstreams
  | keyof typeof video
  | keyof typeof evidence
  | keyof typeof events
  | keyof typeof sessions
  | keyof typeof settings
  | keyof typeof signin
  | keyof typeof site
  | keyof typeof sites
  | keyof typeof station
  | keyof typeof stations
  | keyof typeof welcome;
