#!/bin/sh
# Draws reference.h264: the key pictures, one in two seconds, of 120 s of a car park
# that is none: a textured still with the noise of a sensor.
#
#   30-40  something as large as a person crosses     95-105 covered
#   50-60  something small crosses far off            112    turned: the picture is mirrored
#   65-75  it gets brighter; at 75, 80 and 95 the light jumps
set -e
cd "$(dirname "$0")"
level="0.18*clip((t-65)/10,0,1)-0.25*between(t,75,80)-0.12*between(t,80,95)-0.18*gte(t,95)"
ffmpeg -hide_banner -loglevel error -y \
	-f lavfi -i "mandelbrot=s=640x360:r=1:start_scale=0.9:end_scale=0.9:bailout=4:maxiter=120,trim=end_frame=1,loop=-1:1,setpts=N/5/TB,fps=5,trim=duration=120,hue=s=0.4,curves=all='0/0.12 1/0.75'" \
	-f lavfi -i "color=c=0x705848:s=45x130:r=5:d=120" \
	-f lavfi -i "color=c=0xa0a0a0:s=8x20:r=5:d=120" \
	-filter_complex "[0][1]overlay=x='100+35*(t-30)':y=165:enable='between(t,30,40)'[a];
[a][2]overlay=x='150+22*(t-50)':y=60:enable='between(t,50,60)'[b];
[b]eq=brightness='$level':eval=frame,drawbox=c=0x080808:t=fill:enable='between(t,95,105)',hflip=enable='gte(t,112)',noise=alls=5:allf=t:all_seed=7,format=yuv420p" \
	-c:v libx264 -preset veryfast -crf 31 -g 10 -keyint_min 10 -sc_threshold 0 -bf 0 -bsf:v "noise=drop=not(key),filter_units=remove_types=6" -f h264 reference.h264
ls -l reference.h264
