"""OpenCV on one thread, as the camera runs it: threads of its own make small pictures slower."""

import cv2

cv2.setNumThreads(1)
