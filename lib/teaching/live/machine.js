// What every live view of the course needs: numbers out of bytes, and shapes out of SVG.
