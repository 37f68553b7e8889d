import { describe, expect, it } from 'vitest';
import { bestMain, bestSub, hostOf } from './preset';

const stream = (url: string, codec: string, width: number, height: number) => ({
  name: url,
  url,
  codec,
  width,
  height,
  fps: 15,
  refused: '',
});

describe('what a device offers', () => {
  const list = [
    stream('small', 'h264', 640, 360),
    stream('large', 'h265', 2560, 1440),
    stream('middle', 'h264', 1280, 720),
    stream('tiny', 'jpeg', 320, 180),
  ];
  it('keeps the largest and shows the smallest that browsers play', () => {
    expect(bestMain(list)).toBe('large');
    expect(bestSub(list, 'large')).toBe('small');
  });
  it('takes none for the wall where there is no smaller one', () => {
    expect(bestSub([stream('only', 'h264', 640, 360)], 'only')).toBeNull();
    expect(bestSub([stream('a', 'h264', 640, 360), stream('b', 'h264', 640, 360)], 'a')).toBeNull();
    expect(bestMain([])).toBe('');
  });
  it('names a device by its host', () => {
    expect(hostOf('http://10.0.0.20:8080/onvif/device_service')).toBe('10.0.0.20:8080');
    expect(hostOf('nonsense')).toBe('nonsense');
  });
});
