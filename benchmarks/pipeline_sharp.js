// The contender of pipeline.py that runs in node; asked by lines, it answers with its own times.
const [coding, folder] = process.argv.slice(2, 4);
const [quality, side, thumbnailQuality] = process.argv.slice(4).map(Number);
const optimise = coding === 'optimised';
const sharp = require('sharp');
sharp.concurrency(1); sharp.cache(false);
async function develop() {
  const upright = sharp(folder + '/source.jpg', {sequentialRead: true}).rotate();
  await upright.clone().jpeg({quality, optimiseCoding: optimise})
    .toFile(folder + '/processed.jpg');
  await upright.clone().resize(side, side, {fit: 'inside'}).webp({quality: thumbnailQuality, effort: 4})
    .toFile(folder + '/thumbnail.webp');
  await upright.clone().resize(100, 100, {fit: 'inside'}).raw().toBuffer();
}
require('readline').createInterface({input: process.stdin}).on('line', async () => {
  const started = process.hrtime.bigint(), used = process.cpuUsage();
  await develop();
  const wall = Number(process.hrtime.bigint() - started) / 1e6, cpu = process.cpuUsage(used);
  console.log(JSON.stringify({wall, cpu: (cpu.user + cpu.system) / 1e3,
    versions: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`}));
});
